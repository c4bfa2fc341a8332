//! Threads that receive notifications at once.

use std::sync::Arc;
use std::thread;

use std::os::fd::AsFd;
use syscalls::Errno;
use syscalls::notify::Notification;

use super::waiting::Waiting;
use super::{Mediator, Outcome};

/// Threads that do nothing but receive and answer. A call that was not received yet can be interrupted by a signal, so one
/// is always on its way to the next.
const RECEIVERS: usize = 2;

/// Starts the threads. They end with the process.
///
/// # Errors
/// `EAGAIN` when there can be no more threads.
pub(in crate::supervisor) fn serve(mediator: &Arc<Mediator>) -> Result<(), Errno> {
    // The best effort of a newer kernel; without it only time is lost.
    let _ = mediator.listener.wake_up_synchronously();
    let waiting = Waiting::start(mediator)?;
    for _ in 0..RECEIVERS {
        let (mediator, waiting) = (Arc::clone(mediator), Arc::clone(&waiting));
        let receiver = thread::Builder::new().name("receiver".to_owned());
        receiver.spawn(move || receive(&mediator, &waiting)).map_err(|_| Errno::TRY_AGAIN)?;
    }
    Ok(())
}

fn receive(mediator: &Arc<Mediator>, waiting: &Arc<Waiting>) {
    loop {
        match mediator.listener.receive() {
            Ok(notification) => match mediator.answer(&notification) {
                later @ (Outcome::Asked(_) | Outcome::Slow(_)) => waiting.put_aside(mediator, notification, later),
                outcome @ (Outcome::Fail(_) | Outcome::GoOn | Outcome::HandOver { .. } | Outcome::Return(_)) => {
                    mediator.send(&notification, outcome);
                }
            },
            // Without a process that could call, receiving would fail again and again.
            Err(Errno::NOT_FOUND) if mediator.listener.is_abandoned() => return,
            // The caller was killed between its call and here, or this thread got a signal.
            Err(Errno::NOT_FOUND | Errno::INTERRUPTED) => {}
            Err(_) => return,
        }
    }
}

impl Mediator {
    /// Sends the answer. Nobody waits for it any more when that fails.
    pub(super) fn send(&self, notification: &Notification, outcome: Outcome) {
        let id = notification.id;
        let _ = match outcome {
            Outcome::Fail(errno) => self.listener.answer(id, Err(errno)),
            Outcome::GoOn => self.listener.go_on(id),
            Outcome::HandOver { file, close_on_exec, alone } => {
                let handed = if alone {
                    self.listener.give_away(id, file, close_on_exec)
                } else {
                    self.listener.hand_over(id, file.as_fd(), close_on_exec)
                };
                // Such as a full table of descriptors: the caller's error, and never a reason to let the call through.
                handed.or_else(|errno| self.listener.answer(id, Err(errno)))
            }
            Outcome::Return(value) => self.listener.answer(id, Ok(value)),
            // Slow calls were unwound before they came here.
            Outcome::Asked(_) | Outcome::Slow(_) => self.listener.answer(id, Err(Errno::TRY_AGAIN)),
        };
    }
}
