//! What is allowed comes out as it does without nono: the same results, errors, files, modes, times and links.

use crate::attack::each;
use crate::place::{Place, bare};

#[test]
fn every_open_of_an_allowed_file_gives_what_it_gives_without_a_sandbox() {
    same("opens", 7000);
}

#[test]
fn every_flag_of_openat2_means_what_it_means_without_a_sandbox() {
    same("resolves", 200);
}

#[test]
fn every_change_of_a_name_or_an_attribute_gives_what_it_gives_without_a_sandbox() {
    same("names", 600);
}

#[test]
fn the_limits_of_the_caller_count_and_nothing_is_done_beyond_them() {
    same("limits", 9);
}

/// Runs a probe bare and inside, each time in an empty directory, and compares line by line.
#[track_caller]
fn same(probe: &str, least: usize) {
    each(|world| {
        // Root without its capabilities is no root: what it does bare says nothing.
        if world.who == crate::world::Who::Root {
            return;
        }
        let place = Place::by_pattern(world);
        let outside = bare(world, &[probe]);
        std::fs::remove_dir_all(world.work().join("o")).expect("what the probe left");
        let inside = place.probe(&[probe]);
        assert!(outside.lines.len() > least, "{} lines", outside.lines.len());
        let differ: Vec<_> = outside.lines.iter().zip(&inside.lines).filter(|(one, other)| one != other).collect();
        assert!(differ.is_empty(), "{} differ: {:?}", differ.len(), &differ[..differ.len().min(20)]);
        assert_eq!(outside.lines.len(), inside.lines.len());
    });
}
