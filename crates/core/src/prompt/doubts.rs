//! Prompts that a model may not take in as they are meant.

use std::fmt;

use crate::tokenize::TextDoubt;

/// How many of some prompts lose something on their way to a model, with the first of them. It displays as a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptDoubts<'a> {
    /// Prompts that lose something.
    pub count: usize,
    /// Prompts in all.
    pub of: usize,
    /// The first that does.
    pub prompt: &'a str,
    /// What it loses.
    pub doubt: TextDoubt,
}

impl<'a> PromptDoubts<'a> {
    /// Asks `doubts` what each prompt loses; none where no prompt loses anything.
    ///
    /// # Errors
    /// The first of `doubts`.
    pub fn of<E>(
        prompts: impl IntoIterator<Item = &'a str>,
        doubts: impl Fn(&str) -> Result<Vec<TextDoubt>, E>,
    ) -> Result<Option<Self>, E> {
        let (mut count, mut of, mut first) = (0, 0, None);
        for prompt in prompts {
            of += 1;
            if let Some(doubt) = doubts(prompt)?.into_iter().next() {
                count += 1;
                first.get_or_insert((prompt, doubt));
            }
        }
        Ok(first.map(|(prompt, doubt)| Self { count, of, prompt, doubt }))
    }
}

impl fmt::Display for PromptDoubts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, of, prompt, doubt } = self;
        write!(f, "{count} of {of} prompts may not mean what they say, such as `{prompt}`: {doubt}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_counted_and_the_first_in_doubt_is_told() {
        let unknown = |prompt: &str| match prompt {
            "Herz" => Ok(vec![TextDoubt::Nothing, TextDoubt::Cut { tokens: 9, room: 7 }]),
            "" => Err("no prompt"),
            "Lunge" => Ok(vec![TextDoubt::Cut { tokens: 9, room: 7 }]),
            _ => Ok(Vec::new()),
        };
        assert_eq!(PromptDoubts::of(["heart", "lung"], unknown), Ok(None));
        let found = PromptDoubts::of(["heart", "Lunge", "Herz"], unknown).unwrap().unwrap();
        let words = "2 of 3 prompts may not mean what they say, such as `Lunge`: it has 9 tokens";
        assert!(found.to_string().starts_with(words), "{found}");
        assert_eq!(PromptDoubts::of(["Herz", ""], unknown), Err("no prompt"));
    }
}
