//! Who is let in.

use super::world::World;
use crate::Service;
use crate::signing::service_order;
use expect_test::{Expect, expect};
use proptest::prelude::*;

#[test]
fn names_of_headers_in_the_order_of_the_service() {
    let mut names = vec![
        "x-ms-meta-a-b",
        "x-ms-meta-ab",
        "x-ms-meta-ab-c",
        "x-ms-meta-abc",
        "x-ms-meta--ab",
        "x-ms-date",
        "x-ms-meta-a",
        "x-ms-meta-a-",
        "x-ms-me-ta-ab",
        "x-ms-meta-a1",
        "x-ms-meta-_b",
    ];
    names.sort_by(|a, b| service_order(a, b));
    // As azure-storage-queue 12.18 for Python sorts them.
    expect![[r#"x-ms-date x-ms-meta-_b x-ms-meta-a x-ms-meta-a- x-ms-meta-a1 x-ms-meta-ab x-ms-meta-a-b x-ms-meta--ab x-ms-me-ta-ab x-ms-meta-abc x-ms-meta-ab-c"#]]
        .assert_eq(&names.join(" "));
}
