//! What apps there are on a host, and what keeps their versions alive.

use orchestration::Timestamp;
use serde::Serialize;

use super::report::routes;
use super::{Deployer, Failed};
use crate::app_versions::AliveVersion;
use crate::deployments::Deployment;
use crate::hosting::{Host, Served};

/// Where an app comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Source {
    /// The host was started with its manifest.
    Manifest,
    /// It was deployed.
    Deployment,
}

/// An app in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppSummary {
    /// Its name.
    pub(crate) name: String,
    /// The version that is served.
    pub(crate) version: String,
    /// Its app digest.
    pub(crate) digest: String,
    /// The digest of its bundle; none: it did not come in one.
    pub(crate) bundle: Option<String>,
    /// When that was deployed; or when the host took it up.
    pub(crate) deployed_at: String,
    /// How many functions it has.
    pub(crate) functions: usize,
    /// Where it comes from.
    pub(crate) source: Source,
    /// Its task hub.
    pub(crate) task_hub: String,
    /// Why it is deployed and not served; then nothing is known of its functions and its task hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_served: Option<String>,
}

/// A deployment that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptDeployment {
    bundle: String,
    version: String,
    digest: String,
    deployed_at: String,
    present: bool,
}

/// An app in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppDetails {
    #[serde(flatten)]
    summary: AppSummary,
    /// Those that instances may still run on, the present one first.
    versions: Vec<AliveVersion>,
    /// Those that can be gone back to, newest first.
    deployments: Vec<KeptDeployment>,
    function_names: Vec<String>,
    routes: Vec<String>,
}

/// All apps. `deployer`: of a host that takes deploys.
///
/// # Errors
/// What is deployed cannot be read.
pub(crate) async fn summaries(host: &Host, deployer: Option<&Deployer>) -> Result<Vec<AppSummary>, Failed> {
    let mut all = Vec::new();
    for served in host.apps.all().iter() {
        all.push(summary(host, &kept(&served.app.name, deployer).await?, deployer.is_some(), served));
    }
    for (name, why) in deployer.map(Deployer::not_served).unwrap_or_default() {
        let kept = kept(&name, deployer).await?;
        all.push(not_served(name, why, &kept));
    }
    Ok(all)
}

/// One app, by its name.
///
/// # Errors
/// There is none, or what is known of it cannot be read.
pub(crate) async fn details(host: &Host, deployer: Option<&Deployer>, name: &str) -> Result<AppDetails, Failed> {
    let served = host.apps.named(name).ok_or_else(|| {
        let not_served = deployer.map(Deployer::not_served).unwrap_or_default();
        match not_served.into_iter().find(|(app, _)| app.eq_ignore_ascii_case(name)) {
            Some((app, why)) => {
                let message = format!("the app '{app}' is deployed and not served: {why}");
                Failed::conflict("AppNotServed", &message, Vec::new())
            }
            None => Failed::unknown_app(name, host),
        }
    })?;
    let hosted = host.hosted(&served.app.name).ok_or_else(|| Failed::unknown_app(name, host))?;
    let kept = kept(&served.app.name, deployer).await?;
    let versions = hosted.keeper.alive(hosted.store.as_ref(), &served.digest).await.map_err(Failed::host)?;
    let (list, present) = &kept;
    let deployments = list.iter().map(|deployment| KeptDeployment {
        bundle: deployment.bundle.clone(),
        version: deployment.version.clone(),
        digest: deployment.digest.clone(),
        deployed_at: deployment.deployed_at.to_string(),
        present: present.as_ref() == Some(&deployment.bundle),
    });
    Ok(AppDetails {
        summary: summary(host, &kept, deployer.is_some(), &served),
        versions,
        deployments: deployments.collect(),
        function_names: served.app.functions.iter().map(|function| function.name.clone()).collect(),
        routes: routes(&served),
    })
}

type Kept = (Vec<Deployment>, Option<String>);

async fn kept(app: &str, deployer: Option<&Deployer>) -> Result<Kept, Failed> {
    match deployer {
        Some(deployer) => deployer.kept(app).await,
        None => Ok((Vec::new(), None)),
    }
}

fn summary(host: &Host, (list, present): &Kept, is_deployed: bool, served: &Served) -> AppSummary {
    let deployment = list.iter().find(|deployment| present.as_ref() == Some(&deployment.bundle));
    let since = host.hosted(&served.app.name).map_or(Timestamp::default(), |hosted| hosted.since);
    AppSummary {
        name: served.app.name.clone(),
        version: served.app.version.clone(),
        digest: served.digest.clone(),
        bundle: present.clone(),
        deployed_at: deployment.map_or(since, |deployment| deployment.deployed_at).to_string(),
        functions: served.app.functions.len(),
        source: if is_deployed { Source::Deployment } else { Source::Manifest },
        task_hub: served.management.uris.task_hub.clone(),
        not_served: None,
    }
}

fn not_served(name: String, why: String, (list, present): &Kept) -> AppSummary {
    let deployment = list.iter().find(|deployment| present.as_ref() == Some(&deployment.bundle));
    let text = |of: fn(&Deployment) -> String| deployment.map(of).unwrap_or_default();
    AppSummary {
        name,
        version: text(|deployment| deployment.version.clone()),
        digest: text(|deployment| deployment.digest.clone()),
        bundle: present.clone(),
        deployed_at: text(|deployment| deployment.deployed_at.to_string()),
        functions: 0,
        source: Source::Deployment,
        task_hub: String::new(),
        not_served: Some(why),
    }
}
