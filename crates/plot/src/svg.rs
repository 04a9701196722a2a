//! SVG as text.

use maud::{Markup, html};

/// A drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Svg {
    title: String,
    width: f64,
    height: f64,
    content: String,
}

impl Svg {
    pub(crate) fn new(title: &str, width: f64, height: f64, content: Markup) -> Self {
        Self { title: legible(title), width, height, content: content.into_string() }
    }

    /// A file of its own: dark on a white ground.
    pub fn to_file(&self) -> String {
        let ground = html! { rect width="100%" height="100%" fill="#FFFFFF" {} };
        let element = self.element(Some("#1B1F24"), &ground);
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", element.into_string())
    }

    /// An element of a page: text and axes have the color of the page's text.
    pub fn to_inline(&self) -> String {
        self.element(None, &html! {}).into_string()
    }

    fn element(&self, color: Option<&str>, ground: &Markup) -> Markup {
        let (width, height) = (number(self.width), number(self.height));
        let view = format!("0 0 {width} {height}");
        html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(view) width=(width) height=(height) color=[color]
                role="img" aria-label=(self.title)
                font-family="system-ui, 'DejaVu Sans', Arial, sans-serif" font-size="12" fill="currentColor" {
                title { (self.title) }
                (ground)
                (maud::PreEscaped(&self.content))
            }
        }
    }
}

/// A coordinate to a hundredth of a pixel, as short as can be.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text without the control characters that XML has no way to write.
pub(crate) fn legible(text: &str) -> String {
    let is_illegible = |c: char| (c.is_control() && !"\t\n\r".contains(c)) || "\u{FFFE}\u{FFFF}".contains(c);
    text.chars().map(|c| if is_illegible(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Width of a text in pixels, rather too large: most fonts' letters are narrower on average.
pub(crate) fn text_width(text: &str, font_size: f64) -> f64 {
    text.chars().count() as f64 * font_size * 0.58
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_no_negative_zero() {
        for (value, expected) in [(1.0, "1"), (0.125, "0.12"), (-0.001, "0"), (100.0, "100"), (12.5, "12.5")]
        {
            assert_eq!(number(value), expected);
        }
    }
}
