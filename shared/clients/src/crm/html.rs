//! Escapes notes, which both CRMs show as HTML.

/// HTML that shows this text, with its line breaks.
pub(super) fn html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push_str("<br>"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn what_means_something_in_html_is_escaped() {
        assert_eq!(html("a < b & \"c\" > 'd' ü"), "a &lt; b &amp; &quot;c&quot; &gt; &#39;d&#39; ü");
        assert_eq!(html("one\n<two>"), "one<br>&lt;two&gt;");
    }
}
