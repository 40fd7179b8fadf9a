//! What is written beside keys: the chain spec, a configuration for each server, and two ways to start all of them.

use std::{
    fmt::Write,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use xln_chain_spec::ChainSpec;

use super::WrittenServer;
use crate::commands::CommandError;

/// The chain spec.
pub(super) fn chain(path: &Path, spec: &ChainSpec) -> Result<(), CommandError> {
    let mut text = serde_json::to_vec_pretty(spec).map_err(std::io::Error::from)?;
    text.push(b'\n');
    Ok(fs::write(path, text)?)
}

/// The configuration of a server. Paths are relative to the network's folder, in which it is to be started.
pub(super) fn config(out: &Path, server: &WrittenServer, well_known: bool) -> Result<(), CommandError> {
    let WrittenServer { name, validator, port, rpc_port, prometheus_port } = server;
    let keys = if well_known {
        format!(
            "# The keys that everybody knows by this name. Never with anything of value.\nserver = \"{name}\"\n"
        )
    } else {
        format!("node-key-file = \"{name}/node.key\"\npassword-filename = \"{name}/password\"\n")
    };
    let text = format!(
        "# {name}: xln-node --config {name}/config.toml, started in the folder of chain.json.\n\
         chain = \"chain.json\"\n\
         name = \"{name}\"\n\
         base-path = \"{name}/data\"\n\
         validator = {validator}\n\
         {keys}\n\
         # Only this machine. On several, listen on an address that the others reach, and put it into chain.json.\n\
         listen-addr = [\"/ip4/127.0.0.1/tcp/{port}\", \"/ip4/127.0.0.1/udp/{port}/quic-v1\"]\n\
         rpc-port = {rpc_port}\n\
         prometheus-port = {prometheus_port}\n"
    );
    let folder = out.join(name);
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join("config.toml"), text)?)
}

/// A script that starts every server, and stops all of them when it is stopped.
pub(super) fn start(out: &Path, servers: &[WrittenServer]) -> Result<PathBuf, CommandError> {
    let mut text = String::from(
        "#!/bin/sh\n# Starts every server of this network; stop it with Ctrl-C.\nset -eu\ncd \"$(dirname \"$0\")\"\n\
         node=${XLN_NODE:-xln-node}\ntrap 'kill 0' INT TERM EXIT\n",
    );
    for WrittenServer { name, .. } in servers {
        let _ = writeln!(text, "\"$node\" --config {name}/config.toml 2>{name}.log &");
    }
    text.push_str("wait\n");
    let path = out.join("start");
    fs::write(&path, text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// The same as containers. They share the network of this machine, so that the addresses of the chain spec hold, and each sees
/// the chain spec and its own folder only.
pub(super) fn compose(out: &Path, servers: &[WrittenServer]) -> Result<PathBuf, CommandError> {
    let owner = fs::metadata(out)?;
    let user = format!("{}:{}", owner.uid(), owner.gid());
    let mut text = String::from(
        "# Every server of this network as a container: docker compose up\n\
         # XLN_NODE is the program on this machine, XLN_IMAGE the image that it runs in.\n\
         services:\n",
    );
    for WrittenServer { name, prometheus_port, .. } in servers {
        let _ = write!(
            text,
            "  {name}:\n    \
             image: ${{XLN_IMAGE:-debian:stable-slim}}\n    \
             command: [\"xln-node\", \"--config\", \"{name}/config.toml\"]\n    \
             working_dir: /net\n    \
             user: \"{user}\"\n    \
             network_mode: host\n    \
             restart: on-failure\n    \
             stop_grace_period: 30s\n    \
             labels:\n      \
             xln.metrics: \"127.0.0.1:{prometheus_port}\"\n    \
             volumes:\n      \
             - ${{XLN_NODE:-/usr/local/bin/xln-node}}:/usr/local/bin/xln-node:ro\n      \
             - ./chain.json:/net/chain.json:ro\n      \
             - ./{name}:/net/{name}\n"
        );
    }
    let path = out.join("compose.yaml");
    fs::write(&path, text)?;
    Ok(path)
}
