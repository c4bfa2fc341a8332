//! Ways of doing one thing, in turn, so that whatever else the machine does falls on all of them alike.

use std::io::{self, Write as _};

/// One way, and what each round of it took.
pub(crate) struct Way<'w> {
    name: String,
    run: Box<dyn FnMut() -> io::Result<f64> + 'w>,
    taken: Vec<f64>,
}

impl<'w> Way<'w> {
    pub(crate) fn new(name: &str, run: impl FnMut() -> io::Result<f64> + 'w) -> Self {
        Self { name: name.to_owned(), run: Box::new(run), taken: Vec::new() }
    }

    /// The middle one of all rounds.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.taken.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// Runs each way once a round, after one round that does not count, and prints the medians as multiples of each way that
/// `against` names by its place.
pub(crate) fn compare(
    title: &str,
    unit: &str,
    rounds: usize,
    ways: &mut [Way<'_>],
    against: &[usize],
) -> io::Result<()> {
    ways.iter_mut().for_each(|way| way.taken.clear());
    for round in 0..=rounds {
        for way in &mut *ways {
            let taken = (way.run)()?;
            if round > 0 {
                way.taken.push(taken);
            }
        }
    }
    let mut out = io::stdout();
    writeln!(out, "{title}, median of {rounds}")?;
    let width = ways.iter().map(|way| way.name.len()).max().unwrap_or(0);
    for way in &*ways {
        write!(out, "{:width$} {:9.3} {unit}", way.name, way.median())?;
        for base in against.iter().filter_map(|&base| ways.get(base)) {
            write!(out, "  {:6.2} x {}", way.median() / base.median(), base.name)?;
        }
        writeln!(out)?;
    }
    Ok(())
}
