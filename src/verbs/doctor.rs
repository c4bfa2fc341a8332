//! `nono doctor`: what this host can enforce, line by line, and what it costs when something is missing.

use serde_json::json;

use crate::cli::Doctor;
use crate::enforce::features::{Feature, features};
use crate::profile::Limits;

use super::{NO, YES, gather, print};

/// Prints every feature and its state; answers 1 when something that every run needs is missing.
pub(super) fn doctor(arguments: Doctor) -> u8 {
    let kernel = gather::kernel(&Limits::default());
    let (group, version) = (gather::delegated_controllers(), crate::cli::VERSION);
    let features = features(&kernel, group);
    let printed = if arguments.json {
        let rows: Vec<_> = features.iter().map(row).collect();
        print::json(
            &json!({ "nono": version, "kernel": kernel.release, "landlock_abi": kernel.landlock_abi, "features": rows }),
        )
    } else {
        let lines: String = features.iter().map(line).collect();
        print::document(&format!("nono {version} on Linux {}\n{lines}", kernel.release))
    };
    let missing = features.iter().any(|feature| feature.required && !feature.present);
    printed.max(if missing { NO } else { YES })
}

fn row(feature: &Feature) -> serde_json::Value {
    json!({
        "name": feature.name, "present": feature.present, "required": feature.required,
        "since": feature.since, "without": feature.without,
    })
}

fn line(feature: &Feature) -> String {
    let state = match (feature.present, feature.required) {
        (true, _) => "yes",
        (false, true) => "NO",
        (false, false) => "no",
    };
    let without = if feature.present { String::new() } else { format!("\n      without it: {}", feature.without) };
    format!("{state:>4}  {:<34} {}{without}\n", feature.name, feature.since)
}
