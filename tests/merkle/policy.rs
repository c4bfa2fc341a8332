//! Policies of logs and witnesses, hostile ones included. Shared with the fuzzer.

use nono::merkle::checkpoint::Checkpoint;
use nono::merkle::key::Signer;
use nono::merkle::note::Note;
use nono::merkle::policy::Policy;

/// Reads `bytes` as a policy: what it accepts, it accepts with more cosignatures as well, and never without the log.
///
/// # Errors
/// The first thing that does not hold, in words.
pub(crate) fn agree(bytes: &[u8]) -> Result<(), String> {
    let Ok(policy) = Policy::parse(bytes) else { return Ok(()) };
    let accepted: Vec<bool> =
        (0..8).map(|by| note(by, 1).map(|note| policy.verify(&note).is_ok())).collect::<Result<_, _>>()?;
    for (by, _) in accepted.iter().enumerate().filter(|(_, accepted)| **accepted) {
        for (more, accepted) in accepted.iter().enumerate().filter(|(more, _)| more & by == by) {
            if !accepted {
                return Err(format!("the witnesses {by:b} are a quorum, and {more:b} are none"));
            }
        }
    }
    match policy.verify(&note(7, 2)?) {
        Ok(_) => Err("a checkpoint that the log has not signed is accepted".to_owned()),
        Err(_) => Ok(()),
    }
}

/// A checkpoint by the key with that seed, cosigned by the witnesses with a bit in `by`.
fn note(by: u8, log: u8) -> Result<Note, String> {
    let signer = |name: &str, seed: u8| Signer::new(name, &[seed; 32]).map_err(|error| error.to_string());
    let body = Checkpoint { origin: "example.com/log".into(), size: 7, root: [3; 32] }.to_string();
    let mut note = Note::signed(body.clone(), &signer("example.com/log", log)?);
    for (place, name) in (0..3).zip(["witness.example/a", "witness.example/b", "witness.example/c"]) {
        if by >> place & 1 == 1 {
            note.add(signer(name, 10 + place)?.cosign(&body, 1_700_000_000).1);
        }
    }
    Ok(note)
}
