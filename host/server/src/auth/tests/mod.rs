//! The table of answers: every route of the host, for every kind of caller.

mod world;

use crate::auth::Guarded;
use expect_test::{Expect, expect};
use world::{CALLERS, Caller, How, World};

/// Asks for each route as each caller, and compares the table. Whether a key comes as header or in the query is all the same.
async fn check(guarded: Guarded, routes: &str, expected: &Expect) {
    let routes: Vec<&str> = routes.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let width = routes.iter().map(|route| route.len()).max().unwrap_or_default();
    let mut table = format!("{:width$}", "");
    for (name, _) in CALLERS {
        table.push_str(&format!("  {name:7}"));
    }
    for route in routes {
        table.push_str(&format!("\n{route:width$}"));
        for (name, caller) in CALLERS {
            let by_header = World::ask(guarded, route, How::Header(*caller)).await;
            let by_query = World::ask(guarded, route, How::Query(*caller)).await;
            assert_eq!(by_header, by_query, "{route} with {name}, by header and by query");
            table.push_str(&format!("  {by_header:7}"));
        }
    }
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    expected.assert_eq(&table.join("\n"));
}

const FUNCTIONS: &str = "
    GET /api/open
    GET /api/plain
    HEAD /api/plain
    OPTIONS /api/plain
    DELETE /api/plain
    DELETE /api/open
    GET /api/shared
    POST /api/shared
    PUT /api/shared
    GET /api/root
    GET /api/PLAIN/
    GET /api/off
    GET /api/off-open
    PUT /api/off
    GET /api/unknown
    GET /unknown
    GET /metrics
    HEAD /metrics
    POST /metrics
    GET /.well-known/dacapo/health
    POST /.well-known/dacapo/health
    GET /
    POST /
    CONNECT /api/plain
";

const MANAGEMENT: &str = "
    POST /runtime/webhooks/durabletask/orchestrators/Trip
    POST /runtime/webhooks/durabletask/orchestrators/Trip/new
    GET /runtime/webhooks/durabletask/instances
    DELETE /runtime/webhooks/durabletask/instances?createdTimeFrom=2024-01-01T00:00:00Z
    GET /runtime/webhooks/durabletask/instances/known
    DELETE /runtime/webhooks/durabletask/instances/known
    GET /runtime/webhooks/durabletask/instances/known/explain
    GET /runtime/webhooks/durabletask/instances/known/history
    POST /runtime/webhooks/durabletask/instances/known/raiseEvent/paid
    POST /runtime/webhooks/durabletask/instances/known/terminate
    POST /runtime/webhooks/durabletask/instances/known/suspend
    POST /runtime/webhooks/durabletask/instances/known/resume
    POST /runtime/webhooks/durabletask/instances/known/rewind
    POST /runtime/webhooks/durabletask/instances/known/restart
    GET /runtime/webhooks/durabletask/instances/unknown
    POST /runtime/webhooks/durabletask/instances/unknown/terminate
    GET /runtime/webhooks/durabletask/entities
    GET /runtime/webhooks/durabletask/entities/counter
    GET /runtime/webhooks/durabletask/entities/counter/stock
    POST /runtime/webhooks/durabletask/entities/counter/stock?op=add
    DELETE /runtime/webhooks/durabletask/entities/counter/stock
    POST /runtime/webhooks/durabletask/makeprimary
    GET /runtime/webhooks/durabletask/openapi.json
    GET /runtime/webhooks/durabletask/unknown
    GET /runtime/webhooks/durabletask
    PATCH /runtime/webhooks/durabletask/instances/known
    GET /Runtime/WebHooks/DurableTask/instances/known
    GET /admin/extensions/DurableTaskExtension/instances/known
    GET /runtime/webhooks/other
    GET /runtime/webhooks
    GET /runtime
";

const ADMIN: &str = "
    GET /admin/host/ping
    POST /admin/host/ping
    GET /admin/host/status
    GET /Admin/Host/Status/
    POST /admin/host/status
    GET /admin/host/config
    GET /admin/host/usage
    POST /admin/host/drain
    GET /admin/host/drain
    GET /admin/host/drain/status
    POST /admin/host/resume
    GET /admin/functions
    GET /admin/functions/Plain
    GET /admin/functions/plain/
    GET /admin/functions/Unknown
    PUT /admin/functions/Plain
    DELETE /admin/functions/Plain
    GET /admin/functions/Plain/status
    GET /admin/functions/Unknown/status
    POST /admin/functions/Plain
    POST /admin/functions/Off
    POST /admin/functions/Unknown
    GET /admin/host/keys
    GET /admin/host/functionkeys
    GET /admin/host/systemkeys
    GET /admin/host/otherkeys
    GET /admin/host/keys/default
    GET /admin/host/keys/unknown
    GET /admin/host/keys/_master
    GET /admin/host/systemkeys/_master
    GET /admin/host/systemkeys/durabletask_extension
    POST /admin/host/keys/default
    POST /admin/host/functionkeys/new
    POST /admin/host/systemkeys/_master
    POST /admin/host/keys/_other
    PUT /admin/host/keys/default
    PUT /admin/host/systemkeys/new_extension
    DELETE /admin/host/keys/default
    DELETE /admin/host/keys/unknown
    DELETE /admin/host/keys/_master
    DELETE /admin/host/systemkeys/other_extension
    PATCH /admin/host/keys/default
    GET /admin/functions/Plain/keys
    GET /admin/functions/plain/keys/default
    GET /admin/functions/Plain/keys/unknown
    GET /admin/functions/Unknown/keys
    POST /admin/functions/Plain/keys/default
    POST /admin/functions/Plain/keys/new
    POST /admin/functions/Unknown/keys/new
    PUT /admin/functions/Plain/keys/new
    DELETE /admin/functions/Plain/keys/default
    DELETE /admin/functions/Plain/keys/unknown
    DELETE /admin/functions/Unknown/keys/default
    GET /admin/unknown
    GET /admin
    GET /administrator
";

const APPS: &str = "
    GET /admin/host/logs
    POST /admin/host/logs
    GET /admin/apps
    POST /admin/apps
    PUT /admin/apps
    GET /admin/apps/trips
    GET /admin/apps/unknown
    POST /admin/apps/trips/rollback
    GET /admin/apps/trips/rollback
    DELETE /admin/apps/trips
    DELETE /admin/apps/unknown
";

#[tokio::test]
async fn functions_with_keys() {
    check(
        Guarded::Yes,
        FUNCTIONS,
        &expect![[r#"
                                             none     empty    wrong    plain    other    host     durable  foreign  master
            GET /api/open                    200      200      200      200      200      200      200      200      200
            GET /api/plain                   401      401      401      200      401      200      401      401      200
            HEAD /api/plain                  401      401      401      200      401      200      401      401      200
            OPTIONS /api/plain               401      401      401      200      401      200      401      401      200
            DELETE /api/plain                401      401      401      405      401      405      401      401      405
            DELETE /api/open                 405      405      405      405      405      405      405      405      405
            GET /api/shared                  200      200      200      200      200      200      200      200      200
            POST /api/shared                 401      401      401      401      401      401      401      401      200
            PUT /api/shared                  405      405      405      405      405      405      405      405      405
            GET /api/root                    401      401      401      401      401      401      401      401      200
            GET /api/PLAIN/                  401      401      401      200      401      200      401      401      200
            GET /api/off                     404      404      404      404      404      404      404      404      200
            GET /api/off-open                404      404      404      404      404      404      404      404      200
            PUT /api/off                     404      404      404      404      404      404      404      404      405
            GET /api/unknown                 404      404      404      404      404      404      404      404      404
            GET /unknown                     404      404      404      404      404      404      404      404      404
            GET /metrics                     401      401      401      401      401      401      401      401      200
            HEAD /metrics                    401      401      401      401      401      401      401      401      200
            POST /metrics                    404      404      404      404      404      404      404      404      404
            GET /.well-known/dacapo/health   200      200      200      200      200      200      200      200      200
            POST /.well-known/dacapo/health  404      404      404      404      404      404      404      404      404
            GET /                            204      204      204      204      204      204      204      204      204
            POST /                           404      404      404      404      404      404      404      404      404
            CONNECT /api/plain               501      501      501      501      501      501      501      501      501"#]],
    )
    .await;
}

#[tokio::test]
async fn functions_without_keys() {
    check(
        Guarded::No,
        FUNCTIONS,
        &expect![[r#"
                                             none     empty    wrong    plain    other    host     durable  foreign  master
            GET /api/open                    200      200      200      200      200      200      200      200      200
            GET /api/plain                   200      200      200      200      200      200      200      200      200
            HEAD /api/plain                  200      200      200      200      200      200      200      200      200
            OPTIONS /api/plain               200      200      200      200      200      200      200      200      200
            DELETE /api/plain                405      405      405      405      405      405      405      405      405
            DELETE /api/open                 405      405      405      405      405      405      405      405      405
            GET /api/shared                  200      200      200      200      200      200      200      200      200
            POST /api/shared                 200      200      200      200      200      200      200      200      200
            PUT /api/shared                  405      405      405      405      405      405      405      405      405
            GET /api/root                    200      200      200      200      200      200      200      200      200
            GET /api/PLAIN/                  200      200      200      200      200      200      200      200      200
            GET /api/off                     404      404      404      404      404      404      404      404      200
            GET /api/off-open                404      404      404      404      404      404      404      404      200
            PUT /api/off                     404      404      404      404      404      404      404      404      405
            GET /api/unknown                 404      404      404      404      404      404      404      404      404
            GET /unknown                     404      404      404      404      404      404      404      404      404
            GET /metrics                     200      200      200      200      200      200      200      200      200
            HEAD /metrics                    200      200      200      200      200      200      200      200      200
            POST /metrics                    404      404      404      404      404      404      404      404      404
            GET /.well-known/dacapo/health   200      200      200      200      200      200      200      200      200
            POST /.well-known/dacapo/health  404      404      404      404      404      404      404      404      404
            GET /                            204      204      204      204      204      204      204      204      204
            POST /                           404      404      404      404      404      404      404      404      404
            CONNECT /api/plain               501      501      501      501      501      501      501      501      501"#]],
    )
    .await;
}

#[tokio::test]
async fn management_with_keys() {
    check(Guarded::Yes, MANAGEMENT, &expect![[r#"
                                                                                             none     empty    wrong    plain    other    host     durable  foreign  master
        POST /runtime/webhooks/durabletask/orchestrators/Trip                                401      401      401      401      401      401      202      401      202
        POST /runtime/webhooks/durabletask/orchestrators/Trip/new                            401      401      401      401      401      401      202      401      202
        GET /runtime/webhooks/durabletask/instances                                          401      401      401      401      401      401      200      401      200
        DELETE /runtime/webhooks/durabletask/instances?createdTimeFrom=2024-01-01T00:00:00Z  401      401      401      401      401      401      404      401      404
        GET /runtime/webhooks/durabletask/instances/known                                    401      401      401      401      401      401      202      401      202
        DELETE /runtime/webhooks/durabletask/instances/known                                 401      401      401      401      401      401      404      401      404
        GET /runtime/webhooks/durabletask/instances/known/explain                            401      401      401      401      401      401      404      401      404
        GET /runtime/webhooks/durabletask/instances/known/history                            401      401      401      401      401      401      200      401      200
        POST /runtime/webhooks/durabletask/instances/known/raiseEvent/paid                   401      401      401      401      401      401      202      401      202
        POST /runtime/webhooks/durabletask/instances/known/terminate                         401      401      401      401      401      401      202      401      202
        POST /runtime/webhooks/durabletask/instances/known/suspend                           401      401      401      401      401      401      202      401      202
        POST /runtime/webhooks/durabletask/instances/known/resume                            401      401      401      401      401      401      500      401      500
        POST /runtime/webhooks/durabletask/instances/known/rewind                            401      401      401      401      401      401      500      401      500
        POST /runtime/webhooks/durabletask/instances/known/restart                           401      401      401      401      401      401      202      401      202
        GET /runtime/webhooks/durabletask/instances/unknown                                  401      401      401      401      401      401      404      401      404
        POST /runtime/webhooks/durabletask/instances/unknown/terminate                       401      401      401      401      401      401      404      401      404
        GET /runtime/webhooks/durabletask/entities                                           401      401      401      401      401      401      200      401      200
        GET /runtime/webhooks/durabletask/entities/counter                                   401      401      401      401      401      401      200      401      200
        GET /runtime/webhooks/durabletask/entities/counter/stock                             401      401      401      401      401      401      404      401      404
        POST /runtime/webhooks/durabletask/entities/counter/stock?op=add                     401      401      401      401      401      401      202      401      202
        DELETE /runtime/webhooks/durabletask/entities/counter/stock                          401      401      401      401      401      401      202      401      202
        POST /runtime/webhooks/durabletask/makeprimary                                       401      401      401      401      401      401      200      401      200
        GET /runtime/webhooks/durabletask/openapi.json                                       401      401      401      401      401      401      200      401      200
        GET /runtime/webhooks/durabletask/unknown                                            401      401      401      401      401      401      404      401      404
        GET /runtime/webhooks/durabletask                                                    401      401      401      401      401      401      404      401      404
        PATCH /runtime/webhooks/durabletask/instances/known                                  401      401      401      401      401      401      404      401      404
        GET /Runtime/WebHooks/DurableTask/instances/known                                    401      401      401      401      401      401      202      401      202
        GET /admin/extensions/DurableTaskExtension/instances/known                           401      401      401      401      401      401      202      401      202
        GET /runtime/webhooks/other                                                          404      404      404      404      404      404      404      404      404
        GET /runtime/webhooks                                                                404      404      404      404      404      404      404      404      404
        GET /runtime                                                                         404      404      404      404      404      404      404      404      404"#]]).await;
}

#[tokio::test]
async fn management_without_keys() {
    check(Guarded::No, MANAGEMENT, &expect![[r#"
                                                                                             none     empty    wrong    plain    other    host     durable  foreign  master
        POST /runtime/webhooks/durabletask/orchestrators/Trip                                202      202      202      202      202      202      202      202      202
        POST /runtime/webhooks/durabletask/orchestrators/Trip/new                            202      202      202      202      202      202      202      202      202
        GET /runtime/webhooks/durabletask/instances                                          200      200      200      200      200      200      200      200      200
        DELETE /runtime/webhooks/durabletask/instances?createdTimeFrom=2024-01-01T00:00:00Z  404      404      404      404      404      404      404      404      404
        GET /runtime/webhooks/durabletask/instances/known                                    202      202      202      202      202      202      202      202      202
        DELETE /runtime/webhooks/durabletask/instances/known                                 404      404      404      404      404      404      404      404      404
        GET /runtime/webhooks/durabletask/instances/known/explain                            404      404      404      404      404      404      404      404      404
        GET /runtime/webhooks/durabletask/instances/known/history                            200      200      200      200      200      200      200      200      200
        POST /runtime/webhooks/durabletask/instances/known/raiseEvent/paid                   202      202      202      202      202      202      202      202      202
        POST /runtime/webhooks/durabletask/instances/known/terminate                         202      202      202      202      202      202      202      202      202
        POST /runtime/webhooks/durabletask/instances/known/suspend                           202      202      202      202      202      202      202      202      202
        POST /runtime/webhooks/durabletask/instances/known/resume                            500      500      500      500      500      500      500      500      500
        POST /runtime/webhooks/durabletask/instances/known/rewind                            500      500      500      500      500      500      500      500      500
        POST /runtime/webhooks/durabletask/instances/known/restart                           202      202      202      202      202      202      202      202      202
        GET /runtime/webhooks/durabletask/instances/unknown                                  404      404      404      404      404      404      404      404      404
        POST /runtime/webhooks/durabletask/instances/unknown/terminate                       404      404      404      404      404      404      404      404      404
        GET /runtime/webhooks/durabletask/entities                                           200      200      200      200      200      200      200      200      200
        GET /runtime/webhooks/durabletask/entities/counter                                   200      200      200      200      200      200      200      200      200
        GET /runtime/webhooks/durabletask/entities/counter/stock                             404      404      404      404      404      404      404      404      404
        POST /runtime/webhooks/durabletask/entities/counter/stock?op=add                     202      202      202      202      202      202      202      202      202
        DELETE /runtime/webhooks/durabletask/entities/counter/stock                          202      202      202      202      202      202      202      202      202
        POST /runtime/webhooks/durabletask/makeprimary                                       200      200      200      200      200      200      200      200      200
        GET /runtime/webhooks/durabletask/openapi.json                                       200      200      200      200      200      200      200      200      200
        GET /runtime/webhooks/durabletask/unknown                                            404      404      404      404      404      404      404      404      404
        GET /runtime/webhooks/durabletask                                                    404      404      404      404      404      404      404      404      404
        PATCH /runtime/webhooks/durabletask/instances/known                                  404      404      404      404      404      404      404      404      404
        GET /Runtime/WebHooks/DurableTask/instances/known                                    202      202      202      202      202      202      202      202      202
        GET /admin/extensions/DurableTaskExtension/instances/known                           202      202      202      202      202      202      202      202      202
        GET /runtime/webhooks/other                                                          404      404      404      404      404      404      404      404      404
        GET /runtime/webhooks                                                                404      404      404      404      404      404      404      404      404
        GET /runtime                                                                         404      404      404      404      404      404      404      404      404"#]]).await;
}

#[tokio::test]
async fn admin_with_keys() {
    check(Guarded::Yes, ADMIN, &expect![[r#"
                                                          none     empty    wrong    plain    other    host     durable  foreign  master
        GET /admin/host/ping                              200      200      200      200      200      200      200      200      200
        POST /admin/host/ping                             200      200      200      200      200      200      200      200      200
        GET /admin/host/status                            401      401      401      401      401      401      401      401      200
        GET /Admin/Host/Status/                           401      401      401      401      401      401      401      401      200
        POST /admin/host/status                           404      404      404      404      404      404      404      404      404
        GET /admin/host/config                            401      401      401      401      401      401      401      401      200
        GET /admin/host/usage                             401      401      401      401      401      401      401      401      200
        POST /admin/host/drain                            401      401      401      401      401      401      401      401      202
        GET /admin/host/drain                             404      404      404      404      404      404      404      404      404
        GET /admin/host/drain/status                      401      401      401      401      401      401      401      401      200
        POST /admin/host/resume                           401      401      401      401      401      401      401      401      200
        GET /admin/functions                              401      401      401      401      401      401      401      401      200
        GET /admin/functions/Plain                        401      401      401      401      401      401      401      401      200
        GET /admin/functions/plain/                       401      401      401      401      401      401      401      401      200
        GET /admin/functions/Unknown                      401      401      401      401      401      401      401      401      404
        PUT /admin/functions/Plain                        404      404      404      404      404      404      404      404      404
        DELETE /admin/functions/Plain                     404      404      404      404      404      404      404      404      404
        GET /admin/functions/Plain/status                 401      401      401      401      401      401      401      401      200
        GET /admin/functions/Unknown/status               401      401      401      401      401      401      401      401      404
        POST /admin/functions/Plain                       401      401      401      401      401      401      401      401      202
        POST /admin/functions/Off                         401      401      401      401      401      401      401      401      202
        POST /admin/functions/Unknown                     401      401      401      401      401      401      401      401      404
        GET /admin/host/keys                              401      401      401      401      401      401      401      401      200
        GET /admin/host/functionkeys                      401      401      401      401      401      401      401      401      200
        GET /admin/host/systemkeys                        401      401      401      401      401      401      401      401      200
        GET /admin/host/otherkeys                         404      404      404      404      404      404      404      404      404
        GET /admin/host/keys/default                      401      401      401      401      401      401      401      401      200
        GET /admin/host/keys/unknown                      401      401      401      401      401      401      401      401      404
        GET /admin/host/keys/_master                      401      401      401      401      401      401      401      401      200
        GET /admin/host/systemkeys/_master                401      401      401      401      401      401      401      401      200
        GET /admin/host/systemkeys/durabletask_extension  401      401      401      401      401      401      401      401      200
        POST /admin/host/keys/default                     401      401      401      401      401      401      401      401      200
        POST /admin/host/functionkeys/new                 401      401      401      401      401      401      401      401      201
        POST /admin/host/systemkeys/_master               401      401      401      401      401      401      401      401      200
        POST /admin/host/keys/_other                      401      401      401      401      401      401      401      401      400
        PUT /admin/host/keys/default                      401      401      401      401      401      401      401      401      200
        PUT /admin/host/systemkeys/new_extension          401      401      401      401      401      401      401      401      201
        DELETE /admin/host/keys/default                   401      401      401      401      401      401      401      401      204
        DELETE /admin/host/keys/unknown                   401      401      401      401      401      401      401      401      404
        DELETE /admin/host/keys/_master                   401      401      401      401      401      401      401      401      400
        DELETE /admin/host/systemkeys/other_extension     401      401      401      401      401      401      401      401      204
        PATCH /admin/host/keys/default                    404      404      404      404      404      404      404      404      404
        GET /admin/functions/Plain/keys                   401      401      401      401      401      401      401      401      200
        GET /admin/functions/plain/keys/default           401      401      401      401      401      401      401      401      200
        GET /admin/functions/Plain/keys/unknown           401      401      401      401      401      401      401      401      404
        GET /admin/functions/Unknown/keys                 401      401      401      401      401      401      401      401      404
        POST /admin/functions/Plain/keys/default          401      401      401      401      401      401      401      401      200
        POST /admin/functions/Plain/keys/new              401      401      401      401      401      401      401      401      201
        POST /admin/functions/Unknown/keys/new            401      401      401      401      401      401      401      401      404
        PUT /admin/functions/Plain/keys/new               401      401      401      401      401      401      401      401      201
        DELETE /admin/functions/Plain/keys/default        401      401      401      401      401      401      401      401      204
        DELETE /admin/functions/Plain/keys/unknown        401      401      401      401      401      401      401      401      404
        DELETE /admin/functions/Unknown/keys/default      401      401      401      401      401      401      401      401      404
        GET /admin/unknown                                404      404      404      404      404      404      404      404      404
        GET /admin                                        404      404      404      404      404      404      404      404      404
        GET /administrator                                404      404      404      404      404      404      404      404      404"#]]).await;
}

#[tokio::test]
async fn admin_without_keys() {
    check(Guarded::No, ADMIN, &expect![[r#"
                                                          none     empty    wrong    plain    other    host     durable  foreign  master
        GET /admin/host/ping                              200      200      200      200      200      200      200      200      200
        POST /admin/host/ping                             200      200      200      200      200      200      200      200      200
        GET /admin/host/status                            200      200      200      200      200      200      200      200      200
        GET /Admin/Host/Status/                           200      200      200      200      200      200      200      200      200
        POST /admin/host/status                           404      404      404      404      404      404      404      404      404
        GET /admin/host/config                            200      200      200      200      200      200      200      200      200
        GET /admin/host/usage                             200      200      200      200      200      200      200      200      200
        POST /admin/host/drain                            202      202      202      202      202      202      202      202      202
        GET /admin/host/drain                             404      404      404      404      404      404      404      404      404
        GET /admin/host/drain/status                      200      200      200      200      200      200      200      200      200
        POST /admin/host/resume                           200      200      200      200      200      200      200      200      200
        GET /admin/functions                              200      200      200      200      200      200      200      200      200
        GET /admin/functions/Plain                        200      200      200      200      200      200      200      200      200
        GET /admin/functions/plain/                       200      200      200      200      200      200      200      200      200
        GET /admin/functions/Unknown                      404      404      404      404      404      404      404      404      404
        PUT /admin/functions/Plain                        404      404      404      404      404      404      404      404      404
        DELETE /admin/functions/Plain                     404      404      404      404      404      404      404      404      404
        GET /admin/functions/Plain/status                 200      200      200      200      200      200      200      200      200
        GET /admin/functions/Unknown/status               404      404      404      404      404      404      404      404      404
        POST /admin/functions/Plain                       202      202      202      202      202      202      202      202      202
        POST /admin/functions/Off                         202      202      202      202      202      202      202      202      202
        POST /admin/functions/Unknown                     404      404      404      404      404      404      404      404      404
        GET /admin/host/keys                              200      200      200      200      200      200      200      200      200
        GET /admin/host/functionkeys                      200      200      200      200      200      200      200      200      200
        GET /admin/host/systemkeys                        200      200      200      200      200      200      200      200      200
        GET /admin/host/otherkeys                         404      404      404      404      404      404      404      404      404
        GET /admin/host/keys/default                      200      200      200      200      200      200      200      200      200
        GET /admin/host/keys/unknown                      404      404      404      404      404      404      404      404      404
        GET /admin/host/keys/_master                      200      200      200      200      200      200      200      200      200
        GET /admin/host/systemkeys/_master                200      200      200      200      200      200      200      200      200
        GET /admin/host/systemkeys/durabletask_extension  200      200      200      200      200      200      200      200      200
        POST /admin/host/keys/default                     200      200      200      200      200      200      200      200      200
        POST /admin/host/functionkeys/new                 201      201      201      201      201      201      201      201      201
        POST /admin/host/systemkeys/_master               200      200      200      200      200      200      200      200      200
        POST /admin/host/keys/_other                      400      400      400      400      400      400      400      400      400
        PUT /admin/host/keys/default                      200      200      200      200      200      200      200      200      200
        PUT /admin/host/systemkeys/new_extension          201      201      201      201      201      201      201      201      201
        DELETE /admin/host/keys/default                   204      204      204      204      204      204      204      204      204
        DELETE /admin/host/keys/unknown                   404      404      404      404      404      404      404      404      404
        DELETE /admin/host/keys/_master                   400      400      400      400      400      400      400      400      400
        DELETE /admin/host/systemkeys/other_extension     204      204      204      204      204      204      204      204      204
        PATCH /admin/host/keys/default                    404      404      404      404      404      404      404      404      404
        GET /admin/functions/Plain/keys                   200      200      200      200      200      200      200      200      200
        GET /admin/functions/plain/keys/default           200      200      200      200      200      200      200      200      200
        GET /admin/functions/Plain/keys/unknown           404      404      404      404      404      404      404      404      404
        GET /admin/functions/Unknown/keys                 404      404      404      404      404      404      404      404      404
        POST /admin/functions/Plain/keys/default          200      200      200      200      200      200      200      200      200
        POST /admin/functions/Plain/keys/new              201      201      201      201      201      201      201      201      201
        POST /admin/functions/Unknown/keys/new            404      404      404      404      404      404      404      404      404
        PUT /admin/functions/Plain/keys/new               201      201      201      201      201      201      201      201      201
        DELETE /admin/functions/Plain/keys/default        204      204      204      204      204      204      204      204      204
        DELETE /admin/functions/Plain/keys/unknown        404      404      404      404      404      404      404      404      404
        DELETE /admin/functions/Unknown/keys/default      404      404      404      404      404      404      404      404      404
        GET /admin/unknown                                404      404      404      404      404      404      404      404      404
        GET /admin                                        404      404      404      404      404      404      404      404      404
        GET /administrator                                404      404      404      404      404      404      404      404      404"#]]).await;
}

#[tokio::test]
async fn apps_and_logs_with_keys() {
    check(
        Guarded::Yes,
        APPS,
        &expect![[r#"
                                             none     empty    wrong    plain    other    host     durable  foreign  master
            GET /admin/host/logs             401      401      401      401      401      401      401      401      200
            POST /admin/host/logs            404      404      404      404      404      404      404      404      404
            GET /admin/apps                  401      401      401      401      401      401      401      401      200
            POST /admin/apps                 401      401      401      401      401      401      401      401      409
            PUT /admin/apps                  404      404      404      404      404      404      404      404      404
            GET /admin/apps/trips            401      401      401      401      401      401      401      401      404
            GET /admin/apps/unknown          401      401      401      401      401      401      401      401      404
            POST /admin/apps/trips/rollback  401      401      401      401      401      401      401      401      409
            GET /admin/apps/trips/rollback   404      404      404      404      404      404      404      404      404
            DELETE /admin/apps/trips         401      401      401      401      401      401      401      401      409
            DELETE /admin/apps/unknown       401      401      401      401      401      401      401      401      409"#]],
    )
    .await;
}

#[tokio::test]
async fn apps_and_logs_without_keys() {
    check(
        Guarded::No,
        APPS,
        &expect![[r#"
                                             none     empty    wrong    plain    other    host     durable  foreign  master
            GET /admin/host/logs             200      200      200      200      200      200      200      200      200
            POST /admin/host/logs            404      404      404      404      404      404      404      404      404
            GET /admin/apps                  200      200      200      200      200      200      200      200      200
            POST /admin/apps                 409      409      409      409      409      409      409      409      409
            PUT /admin/apps                  404      404      404      404      404      404      404      404      404
            GET /admin/apps/trips            404      404      404      404      404      404      404      404      404
            GET /admin/apps/unknown          404      404      404      404      404      404      404      404      404
            POST /admin/apps/trips/rollback  409      409      409      409      409      409      409      409      409
            GET /admin/apps/trips/rollback   404      404      404      404      404      404      404      404      404
            DELETE /admin/apps/trips         409      409      409      409      409      409      409      409      409
            DELETE /admin/apps/unknown       409      409      409      409      409      409      409      409      409"#]],
    )
    .await;
}

#[tokio::test]
async fn the_header_counts_if_it_is_there() {
    let ask = |header, query| World::ask(Guarded::Yes, "GET /api/plain", How::Both(header, query));
    assert_eq!(ask(Caller::Wrong, Caller::Master).await, "401", "a wrong header is not mended by a good query");
    assert_eq!(ask(Caller::Empty, Caller::Master).await, "401", "neither is an empty one");
    assert_eq!(ask(Caller::Plain, Caller::Wrong).await, "200");
}

#[test]
fn keys_are_asked_for_wherever_others_could_call() {
    let on = |address: &str, asked: bool| Guarded::on(address.parse().expect("an address"), asked);
    for address in ["127.0.0.1", "127.8.8.8", "::1"] {
        assert_eq!((on(address, false), on(address, true)), (Guarded::No, Guarded::Yes), "{address}");
    }
    for address in ["0.0.0.0", "::", "10.0.0.7", "192.168.1.1", "::ffff:127.0.0.1"] {
        assert_eq!((on(address, false), on(address, true)), (Guarded::Yes, Guarded::Yes), "{address}");
    }
}
