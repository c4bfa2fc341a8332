//! Why a file is not verified, as sentences.

use std::fmt;

use super::super::Malformed;
use super::super::digest::Digest;
use super::super::statement::Predicate;
use crate::profile::escape::escaped;

/// Longest piece of a bundle in a sentence, in characters.
const SHOWN: usize = 100;

/// The check that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The bundle is none.
    BundleMalformed(Malformed),
    /// There is a bundle, and it was not read.
    BundleUnreadable { why: String },
    /// A log or a time stamp vouches for something else than the signature: which, and what is wrong.
    EvidenceWrong { what: &'static str, why: String },
    /// It says that a key of another name signed.
    KeyIdDiffers { claimed: String, expected: String },
    /// A certificate stands for the signer.
    Keyless,
    /// The file is named as a bundle or a policy, and it is none.
    NotSignature { why: String },
    /// It is about another file.
    OtherFile { named: String, expected: String },
    /// The file was changed since it was signed.
    OtherContent { found: Digest },
    /// [`Failure::OtherContent`], where a statement says what was signed.
    OtherDigest { expected: Digest, found: Digest },
    /// It is about something else than a file, files or a policy.
    OtherPredicate { found: Predicate, expected: Predicate },
    /// Nobody who is trusted has the key.
    PublisherUnknown { hint: String },
    /// The signature is not one of the key that the bundle names.
    SignatureWrong,
    /// The publisher is trusted, but not for this program.
    SignerNotListed { publisher: String },
    /// What was signed is no statement.
    StatementMalformed(Malformed),
    /// The file itself is not one whose bytes can be vouched for.
    Unreadable { why: String },
    /// A directory cannot be searched for files.
    Unsearched { why: String },
    /// There is no bundle.
    Unsigned,
}

impl Failure {
    /// One word for a table: `UNSIGNED`, `TAMPERED`, `UNTRUSTED` or `INVALID`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unsigned => "UNSIGNED",
            Self::OtherContent { .. } | Self::OtherDigest { .. } => "TAMPERED",
            Self::Keyless | Self::PublisherUnknown { .. } | Self::SignerNotListed { .. } => "UNTRUSTED",
            Self::BundleMalformed(_)
            | Self::BundleUnreadable { .. }
            | Self::EvidenceWrong { .. }
            | Self::KeyIdDiffers { .. }
            | Self::NotSignature { .. }
            | Self::OtherFile { .. }
            | Self::OtherPredicate { .. }
            | Self::SignatureWrong
            | Self::StatementMalformed(_)
            | Self::Unreadable { .. }
            | Self::Unsearched { .. } => "INVALID",
        }
    }

    /// The check by name, for records and JSON.
    pub fn check(&self) -> &'static str {
        match self {
            Self::BundleMalformed(_) | Self::BundleUnreadable { .. } | Self::Unsigned => "bundle",
            Self::KeyIdDiffers { .. }
            | Self::Keyless
            | Self::PublisherUnknown { .. }
            | Self::SignerNotListed { .. } => "publisher",
            Self::OtherFile { .. } => "path",
            Self::OtherContent { .. } | Self::OtherDigest { .. } => "digest",
            Self::OtherPredicate { .. } | Self::StatementMalformed(_) => "statement",
            Self::EvidenceWrong { .. } | Self::SignatureWrong => "signature",
            Self::NotSignature { .. } | Self::Unreadable { .. } | Self::Unsearched { .. } => "file",
        }
    }

    /// What can be done about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Unsigned => "review the file, then sign it with `nono trust sign`",
            Self::OtherContent { .. } | Self::OtherDigest { .. } => {
                "compare it with what was signed; when the change is meant, sign it again with `nono trust sign`"
            }
            Self::KeyIdDiffers { .. } | Self::PublisherUnknown { .. } => {
                "add the signer's key to `publishers` of a policy you sign, or sign the file yourself"
            }
            Self::Keyless => "sign it with a key: `nono trust sign`",
            Self::NotSignature { .. } => "give it another name and sign it with `nono trust sign`, or remove it",
            Self::SignerNotListed { .. } => "add the publisher to `trust.signers`, or have one of those sign it",
            Self::OtherFile { .. } => "put the bundle back beside its file, or sign the file where it is",
            Self::EvidenceWrong { .. } => "sign it with a key alone: `nono trust sign`",
            Self::Unsearched { .. } => "make it a directory that you can read, nearer to the root, or remove it",
            Self::Unreadable { .. } => "make it a regular file that you can read, or remove it",
            Self::BundleMalformed(_)
            | Self::BundleUnreadable { .. }
            | Self::OtherPredicate { .. }
            | Self::SignatureWrong
            | Self::StatementMalformed(_) => "remove the bundle, review the file, then sign it with `nono trust sign`",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| escaped(text.as_bytes(), SHOWN);
        match self {
            Self::BundleMalformed(why) => write!(out, "its bundle is malformed: {why}"),
            Self::BundleUnreadable { why } => write!(out, "its bundle cannot be read: {why}"),
            Self::EvidenceWrong { what, why } => write!(out, "{what} in its bundle is not about this signature: {why}"),
            Self::KeyIdDiffers { claimed, expected } => write!(
                out,
                "the signature says that the key `{}` made it, and the publisher's key is `{}`",
                shown(claimed),
                shown(expected)
            ),
            Self::Keyless => out.write_str(
                "a certificate stands for the signer, and this version verifies keys alone; keyless signatures come with \
                 the next release",
            ),
            Self::NotSignature { why } => {
                write!(out, "it has the name of a bundle or a policy, which needs no bundle of its own, and is none: {why}")
            }
            Self::OtherContent { found } => write!(out, "its content is not what was signed: it is sha256 {found}"),
            Self::OtherDigest { expected, found } => {
                write!(out, "its content changed after it was signed: expected sha256 {expected}, found {found}")
            }
            Self::OtherFile { named, expected } => {
                write!(out, "the signature is about `{}`, and the file is `{}`", shown(named), shown(expected))
            }
            Self::OtherPredicate { found, expected } => {
                write!(out, "the signature is about {}, and {} is expected", found.words(), expected.words())
            }
            Self::PublisherUnknown { hint } if hint.is_empty() => out.write_str("its bundle does not say whose key signed it"),
            Self::PublisherUnknown { hint } => {
                write!(out, "the key {} signed it, which belongs to no trusted publisher", shown(hint))
            }
            Self::SignatureWrong => out.write_str("the signature is not one of the key that its bundle names"),
            Self::SignerNotListed { publisher } => {
                write!(out, "`{}` signed it, who is not in `trust.signers` of the profile", shown(publisher))
            }
            Self::StatementMalformed(why) => write!(out, "what was signed is no statement about files: {why}"),
            Self::Unreadable { why } => out.write_str(why),
            Self::Unsearched { why } => write!(out, "it cannot be searched for files to verify: {why}"),
            Self::Unsigned => out.write_str("no .bundle file found"),
        }
    }
}

impl std::error::Error for Failure {}
