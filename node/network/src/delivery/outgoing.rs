//! The sender's side towards one server.

use core::time::Duration;
use std::collections::VecDeque;

use xln_primitives::BoundedVec;

use super::{Acknowledgement, BATCH_MAX, Batch, DeliveryLimits, Position, Queue, Stream};
use crate::ServerId;

/// Where the sending to one server stands. It holds no message: those are in the queue.
#[derive(Debug)]
pub(super) struct Outgoing {
    stream: Stream,
    /// Up to here everything is durable at the receiver.
    acknowledged: Position,
    /// Where the last message of the queue stands.
    last: Position,
    /// Where the last message that is under way stands; `acknowledged` if none is.
    sent: Position,
    /// Position and size of what is under way.
    under_way: VecDeque<(Position, usize)>,
    under_way_bytes: usize,
    connected: bool,
    /// When it is sent again.
    deadline: Option<Duration>,
    /// How often it was, without an acknowledgement of anything new.
    in_vain: u32,
}

impl Outgoing {
    pub(super) fn new(stream: Stream, acknowledged: Position, last: Position) -> Self {
        Self {
            stream,
            acknowledged,
            last: last.max(acknowledged),
            sent: acknowledged,
            under_way: VecDeque::new(),
            under_way_bytes: 0,
            connected: false,
            deadline: None,
            in_vain: 0,
        }
    }

    pub(super) fn appended(&mut self, last: Position) {
        self.last = self.last.max(last);
    }

    pub(super) fn connected(&mut self) {
        self.connected = true;
        self.in_vain = 0;
        self.rewind();
    }

    pub(super) fn disconnected(&mut self) {
        self.connected = false;
        self.rewind();
    }

    /// Begins again after what is acknowledged.
    fn rewind(&mut self) {
        self.sent = self.acknowledged;
        self.under_way.clear();
        self.under_way_bytes = 0;
        self.deadline = None;
    }

    fn patience(&self, limits: &DeliveryLimits) -> Duration {
        let factor = 1_u32.checked_shl(self.in_vain).unwrap_or(u32::MAX);
        limits.patience.saturating_mul(factor).min(limits.patience_max)
    }

    /// When [`Self::poll`] has something to do; zero for at once.
    pub(super) fn wake(&self, limits: &DeliveryLimits) -> Option<Duration> {
        if self.may_send(limits) { Some(Duration::ZERO) } else { self.deadline }
    }

    fn may_send(&self, limits: &DeliveryLimits) -> bool {
        // What had no answer is tried with one batch until something is heard.
        let window = if self.in_vain > 0 { 1 } else { limits.window };
        self.connected
            && self.sent < self.last
            && self.under_way.len() < window
            && self.under_way_bytes < limits.window_bytes
    }

    /// The next batch, if one is to be sent now.
    pub(super) fn poll(
        &mut self,
        now: Duration,
        to: ServerId,
        queue: &impl Queue,
        limits: &DeliveryLimits,
    ) -> Option<Batch> {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.rewind();
            self.in_vain = self.in_vain.saturating_add(1);
        }
        if !self.may_send(limits) {
            return None;
        }
        let count = limits.window.saturating_sub(self.under_way.len()).min(BATCH_MAX as usize);
        let bytes = limits.window_bytes.saturating_sub(self.under_way_bytes).min(limits.batch_bytes);
        let items = queue.after(to, self.sent, count.max(1), bytes.max(1));
        let Some(last) = items.last().map(|item| item.position) else {
            // The queue holds less than was said.
            self.last = self.sent;
            return None;
        };
        let after = core::mem::replace(&mut self.sent, last);
        for item in &items {
            self.under_way.push_back((item.position, item.bytes.len()));
            self.under_way_bytes = self.under_way_bytes.saturating_add(item.bytes.len());
        }
        if self.deadline.is_none() {
            self.deadline = Some(now.saturating_add(self.patience(limits)));
        }
        let items = BoundedVec::truncate_from(items);
        Some(Batch { stream: self.stream, acknowledged: self.acknowledged, after, items })
    }

    /// Takes an acknowledgement: up to where the queue may forget, if that is news. The error is the last position that was
    /// ever there, if the acknowledgement goes beyond it.
    pub(super) fn acknowledge(
        &mut self,
        now: Duration,
        said: Acknowledgement,
        limits: &DeliveryLimits,
    ) -> Result<Option<Position>, Position> {
        if said.stream != self.stream || said.upto <= self.acknowledged {
            return Ok(None);
        }
        if said.upto > self.last {
            return Err(self.last);
        }
        self.acknowledged = said.upto;
        while let Some((position, size)) = self.under_way.front().copied()
            && position <= said.upto
        {
            self.under_way.pop_front();
            self.under_way_bytes = self.under_way_bytes.saturating_sub(size);
        }
        self.sent = self.sent.max(said.upto);
        self.in_vain = 0;
        self.deadline = (!self.under_way.is_empty()).then(|| now.saturating_add(self.patience(limits)));
        Ok(Some(said.upto))
    }

    /// Messages that wait or are under way may be there.
    pub(super) fn is_idle(&self) -> bool {
        self.acknowledged >= self.last
    }

    pub(super) const fn acknowledged(&self) -> Position {
        self.acknowledged
    }
}
