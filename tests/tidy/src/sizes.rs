//! How long functions and files may be.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use crate::repository::{File, Violation, assert_none, is_test_code, rust_files, show};
use crate::rules::{MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_TEST_FILE_LINES};

fn check(file: &File) -> Vec<Violation> {
    let parsed = match syn::parse_file(&file.text) {
        Ok(parsed) => parsed,
        Err(cause) => {
            let what = format!("cannot be parsed ({cause})");
            return vec![Violation::new(&file.path, cause.span().start().line, what, "correct the code")];
        }
    };
    let mut sizes = Sizes { path: &file.path, violations: Vec::new(), test_lines: 0 };
    sizes.visit_file(&parsed);
    let (lines, most, hint) = if is_test_code(&file.path) {
        (file.text.lines().count(), MAX_TEST_FILE_LINES, "group the tests by topic, a file each")
    } else {
        (file.text.lines().count() - sizes.test_lines, MAX_FILE_LINES, "split it where the interface is thin")
    };
    let mut violations = sizes.violations;
    if lines > most {
        violations.push(Violation::new(&file.path, most, format!("{lines} lines, more than {most}"), hint));
    }
    violations
}

struct Sizes<'f> {
    path: &'f str,
    violations: Vec<Violation>,
    /// Lines of test modules within the file.
    test_lines: usize,
}

impl Sizes<'_> {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        // Attributes and doc comments stand before the signature and do not count.
        let first = signature.span().start().line;
        let lines = block.brace_token.span.close().end().line - first + 1;
        if lines > MAX_FUNCTION_LINES {
            let what = format!("function `{}` has {lines} lines, more than {MAX_FUNCTION_LINES}", signature.ident);
            let hint = "give a part of it a name; keep the branching here and move straight lines out";
            self.violations.push(Violation::new(self.path, first, what, hint));
        }
    }
}

impl<'ast> Visit<'ast> for Sizes<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let outer_lines = self.test_lines;
        visit::visit_item_mod(self, item);
        if let Some((braces, _)) = &item.content
            && item.attrs.iter().any(is_cfg_test)
        {
            // Test modules within this one are part of it.
            self.test_lines = outer_lines + braces.span.close().end().line - item.span().start().line + 1;
        }
    }
}

fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
}

#[test]
fn functions_and_files_are_short() {
    assert_none(rust_files().iter().flat_map(check).collect());
}

fn check_example(path: &str, text: String, expected: &expect_test::Expect) {
    expected.assert_eq(&show(&check(&File { path: path.to_owned(), text })));
}

#[test]
fn a_long_function_is_found() {
    let body = |lines: usize| "    let x = 1;\n".repeat(lines);
    let text = format!(
        "/// Doc.\n#[inline]\nfn fits(\n) {{\n{}}}\n\nimpl X {{\npub fn method() {{\n{}}}\n}}\n\
         trait T {{ fn default() {{\n{}}} }}\n#[cfg(test)]\nmod tests {{\n#[test]\nfn test() {{\n{}}}\n}}\n",
        body(67),
        body(69),
        body(70),
        body(71)
    );
    check_example(
        "host/x/src/a.rs",
        text,
        &expect_test::expect![[r#"
            host/x/src/a.rs:75: function `method` has 71 lines, more than 70; give a part of it a name; keep the branching here and move straight lines out
            host/x/src/a.rs:147: function `default` has 72 lines, more than 70; give a part of it a name; keep the branching here and move straight lines out
            host/x/src/a.rs:222: function `test` has 73 lines, more than 70; give a part of it a name; keep the branching here and move straight lines out
        "#]],
    );
}

#[test]
fn a_long_file_is_found() {
    let lines = |count: usize| "const X: u8 = 1;\n".repeat(count);
    let with_tests = |count: usize| format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", lines(count), lines(900));
    check_example("host/x/src/a.rs", with_tests(800), &expect_test::expect![""]);
    check_example(
        "host/x/src/a.rs",
        with_tests(801),
        &expect_test::expect![[r#"
            host/x/src/a.rs:800: 801 lines, more than 800; split it where the interface is thin
        "#]],
    );
    check_example("host/x/src/tests.rs", lines(1200), &expect_test::expect![""]);
    check_example(
        "host/x/src/tests/a.rs",
        lines(1201),
        &expect_test::expect![[r#"
            host/x/src/tests/a.rs:1200: 1201 lines, more than 1200; group the tests by topic, a file each
        "#]],
    );
    check_example(
        "host/x/src/a.rs",
        "fn (".to_owned(),
        &expect_test::expect![[r#"
            host/x/src/a.rs:1: cannot be parsed (cannot parse string into token stream); correct the code
        "#]],
    );
}
