//! The limits of everything that others can make grow.

use xln_primitives::Round;

/// Most bytes that the body of a frame may have.
pub const BODY_BYTES_MAX: usize = 4 << 20;

/// Most bytes that a message between members may have: a body and what travels with it, or a round certificate of the
/// largest board.
pub const MESSAGE_BYTES_MAX: usize = BODY_BYTES_MAX + (1 << 16);

/// How many rounds ahead of ours a single vote or proposal may be. Certificates, and votes of more than a third of the
/// weight for one round, are let in from any round: they are how a restarted member finds the others.
pub const ROUNDS_AHEAD_MAX: Round = 10;

/// How many rounds behind ours votes are remembered as witnesses of a double vote.
pub const ROUNDS_BEHIND_MAX: Round = 64;

/// Most messages of one sender, over all entities, that one turn takes; the rest is refused.
pub const MESSAGES_PER_TURN_MAX: u32 = 4_096;

/// Most bytes of one sender that one turn takes.
pub const BYTES_PER_TURN_MAX: usize = 4 * MESSAGE_BYTES_MAX;

/// Most messages with wrong signatures, or bodies that are not the frame they come with, that a member may send at one
/// height of one entity before everything from it is refused until the next.
pub const STRIKES_MAX: u32 = 16;

/// Most bodies kept at one height. A body that is dropped is asked for again when it matters.
pub const BODIES_MAX: usize = 16;

/// Most messages of one member for the next height that wait until this one is decided. Only the proposal of its first
/// round waits with a body.
pub const EARLY_MESSAGES_MAX: usize = 16;

/// Most frames sent to one member who asks for them at one height, while it is open and again when it is decided.
pub const ANSWERS_MAX: u32 = 32;

/// Most peers heard in one turn; the messages of more are refused.
pub const PEERS_PER_TURN_MAX: usize = 4_096;
