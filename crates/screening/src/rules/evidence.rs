//! What a hit of a rule must show, besides its form, to count: enough disorder, enough kinds of
//! characters, none of the words that mark a placeholder.
//!
//! Disorder is Shannon's entropy of the hit's bytes, in bits a byte (C. E. Shannon, "A Mathematical
//! Theory of Communication", 1948): 0 for one byte repeated, about 3.6 for 32 random hexadecimal
//! digits, about 4.7 for 40 random letters and digits. English words stay below 3.5.

use super::RuleProblem;

/// No text of bytes has more disorder.
const ENTROPY_BITS_MAX: f32 = 8.0;
/// Letters, digits, other characters.
const CLASSES_MAX: u8 = 3;

/// What a hit must show to count. The default lets every hit count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    entropy_bits_min: f32,
    classes_min: u8,
    /// Lower-case words; a match with one of them is harmless.
    harmless: Vec<String>,
}

impl Evidence {
    pub(crate) fn new(
        entropy_bits_min: f32,
        classes_min: u8,
        harmless: Vec<String>,
    ) -> Result<Self, RuleProblem> {
        if !(0.0..=ENTROPY_BITS_MAX).contains(&entropy_bits_min) || CLASSES_MAX < classes_min {
            return Err(RuleProblem::BadEvidence);
        }
        if harmless.iter().any(String::is_empty) {
            return Err(RuleProblem::BadEvidence);
        }
        let harmless = harmless.into_iter().map(|word| word.to_lowercase()).collect();
        Ok(Self { entropy_bits_min, classes_min, harmless })
    }

    /// Whether `secret`, found as a part of `matched`, is to be reported.
    pub(crate) fn convinces(&self, matched: &str, secret: &str) -> bool {
        if self.entropy_bits_min > 0.0 && entropy_bits(secret.as_bytes()) < self.entropy_bits_min {
            return false;
        }
        if self.classes_min > 0 && classes(secret) < self.classes_min {
            return false;
        }
        if self.harmless.is_empty() {
            return true;
        }
        let matched = matched.to_lowercase();
        !self.harmless.iter().any(|word| matched.contains(word))
    }
}

/// Shannon's entropy in bits a byte.
fn entropy_bits(bytes: &[u8]) -> f32 {
    let mut counts = [0_u16; 256];
    for &byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count = count.saturating_add(1);
        }
    }
    let total: f32 = counts.iter().map(|&count| f32::from(count)).sum();
    let seen = counts.iter().filter(|&&count| 0 < count);
    seen.map(|&count| f32::from(count) / total).map(|share| -share * share.log2()).sum()
}

/// How many of letters, digits and other characters there are. What joins words in names and paths
/// (`. _ - / : \`) is not counted: code is full of it.
fn classes(text: &str) -> u8 {
    let (mut letters, mut digits, mut others) = (false, false, false);
    for c in text.chars() {
        if c.is_alphabetic() {
            letters = true;
        } else if c.is_numeric() {
            digits = true;
        } else if !matches!(c, '.' | '_' | '-' | '/' | ':' | '\\') {
            others = true;
        }
    }
    u8::from(letters) + u8::from(digits) + u8::from(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_shannons() {
        for (text, bits) in [("", 0.0), ("aaaa", 0.0), ("abab", 1.0), ("abcd", 2.0)] {
            assert_eq!(entropy_bits(text.as_bytes()), bits, "{text}");
        }
        let words = entropy_bits(b"this_is_my_password");
        let random = entropy_bits(b"q7Zt0VxB2mLs9KdWc4Rf");
        assert!(words < 3.5 && 4.0 < random, "{words} {random}");
    }

    #[test]
    fn names_in_code_are_one_class_and_passwords_are_more() {
        for (text, count) in [
            ("models.CharField", 1),
            ("a/b-c_d", 1),
            ("hunter2", 2),
            ("Tulips42!", 3),
            ("пар0ль", 2),
        ] {
            assert_eq!(classes(text), count, "{text}");
        }
    }

    #[test]
    fn a_placeholder_does_not_convince() {
        let evidence = Evidence::new(2.0, 2, vec!["Your".to_owned()]).unwrap();
        assert!(evidence.convinces("key=a1b2c3", "a1b2c3"));
        assert!(!evidence.convinces("key=YOUR-a1b2c3", "a1b2c3"));
        assert!(!evidence.convinces("key=a11111", "a11111"));
        assert!(!evidence.convinces("key=abcdef", "abcdef"));
    }

    #[test]
    fn evidence_that_nothing_could_show_is_an_error() {
        assert!(Evidence::new(8.5, 0, Vec::new()).is_err());
        assert!(Evidence::new(f32::NAN, 0, Vec::new()).is_err());
        assert!(Evidence::new(0.0, 4, Vec::new()).is_err());
        assert!(Evidence::new(0.0, 0, vec![String::new()]).is_err());
    }
}
