//! The deterministic machines of XLN: server, signer, entity, channel, depositary.
