//! Proofs that must and that must not hold: the cases of github.com/transparency-dev/merkle, `testdata/` (Apache-2.0), as
//! many of them as lie beside the project.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use nono::merkle::Hash;
use nono::merkle::frontier::Frontier;
use nono::merkle::leaf_hash;
use nono::merkle::proof::{Builder, verify_consistency, verify_inclusion};
use serde_json::Value;

use crate::cases_of_others;

/// The leaves of the reference trees, and the roots of the trees of the first of them (`testonly/constants.go` of
/// transparency-dev/merkle; the leaves are those of the reference implementation of Certificate Transparency).
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn the_reference_trees_have_the_reference_roots() {
    let mut frontier = Frontier::default();
    for (size, root) in ROOTS.iter().enumerate() {
        assert_eq!(hex(&frontier.root()), *root, "size {size}");
        LEAVES.get(size).inspect(|leaf| frontier.push(leaf_hash(leaf)));
    }
}

/// The proofs that `cmd/proofgen` of transparency-dev/merkle prints for the reference trees.
#[test]
fn the_reference_proofs_are_those_that_others_make() {
    let inclusion = |index, size: usize| made(Builder::inclusion(index, size as u64), size);
    let consistency = |old, new: usize| made(Builder::consistency(old, new as u64), new);
    assert_eq!(inclusion(2, 3), [ROOTS[2]]);
    let of_leaf_2_of_5 = inclusion(1, 5);
    assert_eq!(of_leaf_2_of_5[0], ROOTS[1]);
    assert!(of_leaf_2_of_5[1].starts_with("5f083f0a") && of_leaf_2_of_5[2].starts_with("bc1a0643"));
    let of_leaf_6_of_8 = inclusion(5, 8);
    assert!(of_leaf_6_of_8[0].starts_with("bc1a0643") && of_leaf_6_of_8[1].starts_with("ca854ea1"));
    assert_eq!(of_leaf_6_of_8[2], ROOTS[4]);
    let from_2_to_5 = consistency(2, 5);
    assert!(from_2_to_5[0].starts_with("5f083f0a") && from_2_to_5[1].starts_with("bc1a0643"));
    let from_6_to_7 = consistency(6, 7);
    assert!(from_6_to_7[0].starts_with("0ebc5d34") && from_6_to_7[1].starts_with("b08693ec"));
    assert_eq!((from_6_to_7[2].as_str(), from_6_to_7.len()), (ROOTS[4], 3));
}

#[test]
fn every_inclusion_proof_holds_or_not_as_its_case_says() {
    let Some(cases) = cases("inclusion") else { return };
    assert!(cases.len() >= 40, "the cases are gone");
    for (name, case) in cases {
        let holds = (|| {
            let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
            let (index, size) = (case["leafIdx"].as_u64()?, case["treeSize"].as_u64()?);
            verify_inclusion(index, size, &leaf, &proof(&case["proof"])?, &root).ok()
        })();
        assert_eq!(holds.is_none(), case["wantErr"], "{}", name);
    }
}

#[test]
fn every_consistency_proof_holds_or_not_as_its_case_says() {
    let Some(cases) = cases("consistency") else { return };
    assert!(cases.len() >= 40, "the cases are gone");
    for (name, case) in cases {
        let holds = (|| {
            let (old, new) = (root(&case["root1"])?, root(&case["root2"])?);
            let sizes = (case["size1"].as_u64()?, case["size2"].as_u64()?);
            verify_consistency((sizes.0, &old), (sizes.1, &new), &proof(&case["proof"])?).ok()
        })();
        assert_eq!(holds.is_none(), case["wantErr"], "{}", name);
    }
}

fn made(builder: Option<Builder>, size: usize) -> Vec<String> {
    let mut builder = builder.expect("there is such a proof");
    LEAVES[..size].iter().for_each(|leaf| builder.push(&leaf_hash(leaf)));
    builder.finish().expect("all leaves have passed").iter().map(hex).collect()
}

/// Every case of `kind` with its name; nothing where they are not there.
fn cases(kind: &str) -> Option<Vec<(String, Value)>> {
    let folder = cases_of_others::folder("merkle")?.join(kind);
    let case = |(path, content): (PathBuf, Vec<u8>)| {
        let name = path.display().to_string();
        let case = serde_json::from_slice(&content).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, case)
    };
    Some(cases_of_others::files(&folder).into_iter().map(case).collect())
}

/// A hash, or nothing for the garbage that some cases have in its place.
fn hash(value: &Value) -> Option<Hash> {
    BASE64.decode(value.as_str()?).ok()?.try_into().ok()
}

/// A root. Some cases have a text where any root does; a hash stands for it here, the same for the same text.
fn root(value: &Value) -> Option<Hash> {
    let bytes = BASE64.decode(value.as_str()?).ok()?;
    Some(Hash::try_from(bytes.as_slice()).unwrap_or_else(|_| leaf_hash(&bytes)))
}

fn proof(value: &Value) -> Option<Vec<Hash>> {
    if value.is_null() { Some(Vec::new()) } else { value.as_array()?.iter().map(hash).collect() }
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
