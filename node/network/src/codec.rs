//! Messages on a stream: four bytes of length, then an envelope.

use std::{io, sync::Arc};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response};

use crate::{Code, Envelope, EnvelopeError, Limits, Protocol};

/// A message before it is sent or after it has come.
#[derive(Debug, Clone)]
pub(crate) enum Wire {
    /// An encoded envelope to send.
    Outgoing(Arc<[u8]>),
    /// What came, with its size on the wire. What is no message comes too, so that it is counted whose it was.
    Incoming(usize, Result<Envelope, EnvelopeError>),
}

/// What may be said one way.
#[derive(Debug, Clone, Copy)]
struct Shape {
    codes: &'static [Code],
    limit: usize,
}

/// How the streams of one protocol are read and written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Codec {
    asks: Shape,
    answers: Shape,
}

impl Codec {
    pub(crate) const fn new(protocol: Protocol, limits: &Limits) -> Self {
        let (asks, answers) = match protocol {
            Protocol::Consensus => (limits.consensus_bytes, RECEIPT_BYTES),
            Protocol::Deliver => (limits.deliver_bytes, RECEIPT_BYTES),
            Protocol::Sync => (limits.question_bytes, limits.answer_bytes),
        };
        Self {
            asks: Shape { codes: protocol.codes(), limit: asks },
            answers: Shape { codes: protocol.answers(), limit: answers },
        }
    }
}

/// Bytes of an answer that says only whether a message was taken.
const RECEIPT_BYTES: usize = 1;

/// The answer where nothing is asked.
pub(crate) fn receipt(taken: bool) -> Wire {
    Wire::Outgoing(Envelope { code: Code::Pong, body: vec![u8::from(taken)] }.encode().into())
}

async fn read<T: AsyncRead + Unpin + Send>(io: &mut T, shape: Shape) -> io::Result<Wire> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > Envelope::wire_max(shape.limit) {
        let oversized = EnvelopeError::Oversized { size: length, limit: shape.limit };
        return Ok(Wire::Incoming(0, Err(oversized)));
    }
    // Grows with what arrives, not with what is announced.
    let mut bytes = Vec::new();
    io.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Wire::Incoming(length, Envelope::decode(&bytes, shape.codes, shape.limit)))
}

async fn write<T: AsyncWrite + Unpin + Send>(io: &mut T, wire: Wire) -> io::Result<()> {
    let Wire::Outgoing(bytes) = wire else { return Err(io::ErrorKind::InvalidInput.into()) };
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(&bytes).await
}

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Wire;
    type Response = Wire;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Wire>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.asks).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Wire>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.answers).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Wire) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, request).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, response: Wire) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, response).await
    }
}
