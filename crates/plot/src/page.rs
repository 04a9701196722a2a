//! Pages that open offline: HTML with everything inside, and no script.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::svg::{Svg, legible};

const STYLE: &str = include_str!("page/style.css");

/// A page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Its heading and the browser's title.
    pub title: String,
    /// What is on it, from the top.
    pub blocks: Vec<Block>,
}

/// A part of a page. All text is escaped.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Begins a section.
    Heading(String),
    /// A paragraph.
    Paragraph(String),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// Charts, as many side by side as there is room for.
    Charts(Vec<Svg>),
    /// Small pictures with their captions, as many side by side as there is room for.
    Pictures(Vec<Picture>),
    /// Rows and columns.
    Table(Table),
    /// Text with its line ends kept, which opens when its summary is chosen.
    Folded {
        /// What is always shown.
        summary: String,
        /// What opens.
        text: String,
    },
}

/// A small picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// A PNG file; without one the caption stands alone.
    pub png: Option<Vec<u8>>,
    /// What is said below it, a line each.
    pub caption: Vec<String>,
}

/// Rows and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Names of the columns.
    pub header: Vec<String>,
    /// Cells, row by row.
    pub rows: Vec<Vec<String>>,
    /// Columns from this one on are numbers, aligned right.
    pub numeric_from: usize,
}

impl Page {
    /// The page as an HTML file.
    pub fn to_html(&self) -> String {
        let title = legible(&self.title);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { (title) }
                    @for block in &self.blocks { (block.markup()) }
                }
            }
        };
        page.into_string()
    }
}

impl Block {
    fn markup(&self) -> Markup {
        match self {
            Self::Heading(text) => html! { h2 { (legible(text)) } },
            Self::Paragraph(text) => html! { p { (legible(text)) } },
            Self::Facts(facts) => html! {
                dl { @for (name, value) in facts { dt { (legible(name)) } dd { (legible(value)) } } }
            },
            Self::Charts(charts) => html! {
                div class="charts" {
                    @for chart in charts { figure { (PreEscaped(chart.to_inline())) } }
                }
            },
            Self::Pictures(pictures) => html! {
                div class="pictures" { @for picture in pictures { (picture.markup()) } }
            },
            Self::Table(table) => table.markup(),
            Self::Folded { summary, text } => html! {
                details { summary { (legible(summary)) } pre { (legible(text)) } }
            },
        }
    }
}

impl Picture {
    fn markup(&self) -> Markup {
        let source = |png| format!("data:image/png;base64,{}", STANDARD.encode(png));
        let first = self.caption.first().map(|line| legible(line)).unwrap_or_default();
        html! {
            figure {
                @if let Some(png) = &self.png { img src=(source(png)) alt=(first); }
                figcaption { @for line in &self.caption { div { (legible(line)) } } }
            }
        }
    }
}

impl Table {
    fn markup(&self) -> Markup {
        let class = |column: usize| (column >= self.numeric_from).then_some("number");
        html! {
            div class="wide" {
                table {
                    thead { tr {
                        @for (column, cell) in self.header.iter().enumerate() {
                            th scope="col" class=[class(column)] { (legible(cell)) }
                        }
                    } }
                    tbody { @for row in &self.rows { tr {
                        @for (column, cell) in row.iter().enumerate() { td class=[class(column)] { (legible(cell)) } }
                    } } }
                }
            }
        }
    }
}
