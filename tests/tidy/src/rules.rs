//! Every rule as data. To change a rule, change it here, and say why in the commit.

/// Where a crate stands; see `host/ARCHITECTURE.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// L1: rules of storage, which the other pure crates may know.
    Model,
    /// L1: values and pure functions.
    Pure,
    /// L2: the traits through which anything reaches the world.
    Ports,
    /// L3: siblings that never import each other.
    Sibling,
    /// L4: the binary, which knows everybody.
    Server,
    /// What macros the SDK needs.
    SdkMacros,
    /// What guests are built with; shares nothing with the host but the WIT files.
    Sdk,
    /// A sample app, written with the SDK alone.
    Sample,
    /// Checks and measures the others.
    Test,
}

/// Each crate of the workspace, and the crates of the workspace that it may use besides those its layer allows.
/// Samples are not listed: every crate below `sample-functions/` is one.
pub(crate) const CRATES: &[(&str, Layer)] = &[
    ("orchestration", Layer::Pure),
    ("storage-model", Layer::Model),
    ("manifest", Layer::Pure),
    ("bundle", Layer::Pure),
    ("ports", Layer::Ports),
    ("task-hub", Layer::Sibling),
    ("storage", Layer::Sibling),
    ("triggers", Layer::Sibling),
    ("azure-storage", Layer::Sibling),
    ("guest", Layer::Sibling),
    ("dacapo", Layer::Server),
    ("dacapo-sdk-macros", Layer::SdkMacros),
    ("dacapo-sdk", Layer::Sdk),
    ("contract-probe", Layer::Test),
    ("sandbox-probe", Layer::Test),
    ("odd-jobs", Layer::Sample),
    ("queue-jobs", Layer::Sample),
    ("editions", Layer::Sample),
    ("steps-before", Layer::Sample),
    ("steps-after", Layer::Sample),
    ("artifacts", Layer::Test),
    ("tidy", Layer::Test),
    ("simulation", Layer::Test),
    ("fuzz", Layer::Test),
    ("bench", Layer::Test),
];

/// The layers that a crate may use. A crate never uses one of its own layer unless the layer is listed for itself.
pub(crate) const MAY_USE: &[(Layer, &[Layer])] = &[
    (Layer::Model, &[]),
    (Layer::Pure, &[Layer::Model]),
    (Layer::Ports, &[Layer::Model, Layer::Pure]),
    (Layer::Sibling, &[Layer::Model, Layer::Pure, Layer::Ports]),
    (Layer::Server, &[Layer::Model, Layer::Pure, Layer::Ports, Layer::Sibling]),
    (Layer::SdkMacros, &[]),
    (Layer::Sdk, &[Layer::SdkMacros]),
    (Layer::Sample, &[Layer::Sdk]),
    (
        Layer::Test,
        &[
            Layer::Model,
            Layer::Pure,
            Layer::Ports,
            Layer::Sibling,
            Layer::Server,
            Layer::Sdk,
            Layer::SdkMacros,
            Layer::Test,
        ],
    ),
];

/// The layers that tests of a crate may use on top: built guests for everybody, and macros are tested in their SDK.
pub(crate) const TESTS_MAY_USE: &[(Layer, &[Layer])] = &[
    (Layer::Model, &[Layer::Test]),
    (Layer::Pure, &[Layer::Test]),
    (Layer::Ports, &[Layer::Test]),
    (Layer::Sibling, &[Layer::Test]),
    (Layer::Server, &[Layer::Test]),
    (Layer::SdkMacros, &[Layer::Sdk, Layer::Test]),
    (Layer::Sdk, &[Layer::Test]),
];

/// Crates that may use nothing from outside but these; their tests may use more.
pub(crate) const ONLY: &[(&str, &[&str])] = &[
    ("orchestration", &["httpdate", "serde_json", "thiserror", "url", "uuid"]),
    ("manifest", &["jiff", "regex", "serde", "serde_json", "serde_spanned", "thiserror", "toml"]),
    ("bundle", &["flate2", "serde", "serde_json", "sha2", "thiserror", "zip"]),
    ("storage-model", &["base64", "jiff", "percent-encoding", "serde", "serde_json", "thiserror", "uuid"]),
];

/// Big dependencies and the crates that own them. A name that ends in `*` stands for everything that begins so.
pub(crate) const OWNERS: &[(&str, &[&str])] = &[
    ("wasmtime*", &["guest"]),
    ("fjall", &["storage"]),
    // The test programs have command lines of their own.
    ("clap*", &["dacapo", "bench", "simulation"]),
    ("hyper*", &["guest", "triggers", "dacapo", "bench"]),
    ("axum*", &["triggers", "dacapo"]),
];

/// What a crate must not even know in its tests.
pub(crate) const BANNED: &[(&str, &[&str])] = &[
    ("tokio*", &["orchestration", "storage-model", "manifest", "bundle", "ports"]),
    ("async-std", &["*"]),
    ("smol", &["*"]),
];

/// From the first line of the signature to the closing brace.
pub(crate) const MAX_FUNCTION_LINES: usize = 70;
/// Production code; test modules within the file do not count.
pub(crate) const MAX_FILE_LINES: usize = 800;
/// Files that hold nothing but tests.
pub(crate) const MAX_TEST_FILE_LINES: usize = 1_200;
/// Fewer words than this are no paragraph.
pub(crate) const MIN_MODULE_DOC_WORDS: usize = 5;

/// Names that say nothing about what is inside.
pub(crate) const BANNED_MODULE_NAMES: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "manager", "core", "types", "misc"];

/// What stands at the top of the repository, besides files and folders whose names begin with a dot.
pub(crate) const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "host",
    "sdk",
    "sample-functions",
    "function-manifests",
    "tests",
];

/// Made by tools and never committed; not looked into, wherever they are.
pub(crate) const GENERATED_FOLDERS: &[&str] = &["target", ".git", ".dacapo", "node_modules"];

/// Folders of one person's or one machine's disk. Written in two halves, so that this file does not break its own rule.
pub(crate) const MACHINE_PATHS: &[&str] = &[
    concat!("/", "work/"),
    concat!("/", "root/"),
    concat!("/", "home/"),
    concat!("/", "Users/"),
    concat!("../", "shared"),
];
