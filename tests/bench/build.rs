//! What a build costs: `cargo build` of a crate of forty modules, bare and under nono, where the kernel's rules are the
//! policy's and where a denial lies inside a grant.
//!
//! It prints medians and ratios and judges nothing. An argument names another nono to measure, such as the static one.

#[path = "harness/measure.rs"]
mod measure;
#[path = "harness/place.rs"]
mod place;

use std::fs;
use std::io;
use std::path::PathBuf;

use measure::{Way, compare};
use place::{Place, seconds, words};

const ROUNDS: usize = 5;
const MODULES: usize = 40;

fn main() -> io::Result<()> {
    let place = Place::new("build")?;
    let source = PathBuf::from(place.path("crate/src"));
    fs::create_dir_all(&source)?;
    fs::write(
        place.folder.join("crate/Cargo.toml"),
        "[package]\nname = \"measured\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    )?;
    let mut root = String::new();
    for module in 0..MODULES {
        root.push_str(&format!("pub mod m{module};\n"));
        fs::write(source.join(format!("m{module}.rs")), text(module))?;
    }
    root.push_str("fn main() {\n    println!(\"{}\", m0::sum(&m0::list(9)));\n}\n");
    fs::write(source.join("main.rs"), root)?;
    let folder = place.folder.join("crate");
    let under = |before: &[&str]| {
        let words = words(&[before, &["cargo", "build", "-q", "--offline", "--target-dir", "target"]]);
        let folder = folder.clone();
        move || {
            let _ = fs::remove_dir_all(folder.join("target"));
            seconds(&words, &folder)
        }
    };
    let run = [place.nono.as_str(), "run", "-s", "-p", "rust-dev"];
    let mut ways = [
        Way::new("bare", under(&[])),
        Way::new("nono, the kernel's rules suffice", under(&[&run[..], &["--"]].concat())),
        Way::new("nono, a denial inside a grant", under(&[&run[..], &["--deny", "*.never", "--"]].concat())),
    ];
    compare(&format!("cargo build, {}", place.nono), "s", ROUNDS, &mut ways, &[0])
}

/// A module with enough in it to keep a compiler busy for a moment.
fn text(module: usize) -> String {
    let mut text = String::from(
        "pub fn list(n: u64) -> Vec<String> {\n    (0..n).map(|n| format!(\"{n:?} of {n}\")).collect()\n}\n\
         pub fn sum(of: &[String]) -> usize {\n    of.iter().map(String::len).sum()\n}\n",
    );
    for number in 0..20 {
        text.push_str(&format!(
            "#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]\npub struct S{module}x{number} {{\n    \
             pub a: Vec<u32>,\n    pub b: Option<String>,\n}}\n"
        ));
    }
    text
}
