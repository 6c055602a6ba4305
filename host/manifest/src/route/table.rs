//! All routes of an app as one tree, and the search for the function that a request is meant for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::matching::Path;
use super::method::{Acceptance, Method, Methods};
use super::template::{Segment, Template, fold};

/// Built once when an app is loaded; a request walks it without compiling or copying anything but its parameters.
///
/// Of all templates that match path and method, the most specific wins, compared segment by segment from the left:
/// literal, constrained or mixed parameter, parameter, parameter that may be absent, constrained catch-all, catch-all.
/// Equally specific ones keep the order in which they were given.
#[derive(Debug, Clone)]
pub struct RouteTable {
    /// From the most specific; the position is called `order` below.
    routes: Vec<Route>,
    /// The root is the first.
    nodes: Vec<Node>,
    /// Segments of the prefix, which stand before every template.
    prefix_segments: usize,
}

#[derive(Debug, Clone)]
struct Route {
    function: usize,
    template: Template,
    methods: Methods,
}

/// A place in the tree: the templates whose first segments are the ones on the way here.
#[derive(Debug, Clone)]
struct Node {
    /// Keyed by the literal in lower case.
    literals: BTreeMap<String, usize>,
    parameters: Vec<(Segment, usize)>,
    /// Routes that end here, and those that take whatever follows.
    ends: Vec<usize>,
    catch_alls: Vec<usize>,
    /// The smallest order at or below this node: nothing better can be found here.
    best_order: usize,
}

/// What a request's method and path lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match<'t> {
    /// A function.
    Function {
        /// As given to [`RouteTable::new`]; for [`crate::App::route_table`] the position in `App::functions`.
        index: usize,
        /// Values of the template's parameters, percent-decoded; an optional one that is absent is not there.
        params: Vec<(&'t str, String)>,
        /// A HEAD request for a function that lists GET but not HEAD: it runs as GET and its body is dropped.
        head_as_get: bool,
    },
    /// The path is somebody's, but not with this method.
    MethodNotAllowed {
        /// For the `Allow` header.
        allow: Vec<Method>,
    },
    /// No function has such a path.
    NotFound,
}

/// How far into a table a request gets; of several tables, the smallest is the one to ask.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// To a function, by a route that is as specific as this says, prefix included.
    Function(Precedence),
    /// To a path that is there, but not with this method.
    OtherMethod,
    /// Nowhere.
    Nothing,
}

/// How specific a route is, prefix included: of two that match a path, the smaller one wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Precedence(Vec<u8>);

impl RouteTable {
    /// A table of `(function, template, methods)`. The prefix is literal text, such as `api`, and may be empty.
    pub fn new<'a>(prefix: &str, routes: impl IntoIterator<Item = (usize, &'a Template, Methods)>) -> Self {
        let mut routes: Vec<Route> = routes
            .into_iter()
            .map(|(function, template, methods)| Route { function, template: template.clone(), methods })
            .collect();
        routes.sort_by_cached_key(|route| route.template.precedence());
        let prefix: Vec<Segment> =
            prefix.split('/').filter(|text| !text.is_empty()).map(|text| Segment::Literal(text.to_owned())).collect();
        let mut nodes = vec![Node::new(0)];
        for (order, route) in routes.iter().enumerate() {
            insert(&mut nodes, order, &prefix, &route.template.segments);
        }
        RouteTable { routes, nodes, prefix_segments: prefix.len() }
    }

    /// All routes, the one first that wins over all others: `(function, template, methods)` as they were given.
    pub fn in_order(&self) -> impl Iterator<Item = (usize, &Template, Methods)> {
        self.routes.iter().map(|route| (route.function, &route.template, route.methods))
    }

    /// Finds the function for a request: its method as on the request line, its path percent-encoded and without query.
    pub fn find(&self, method: &str, path: &str) -> Match<'_> {
        let Some(path) = Path::split(path) else { return Match::NotFound };
        let mut search = Search { table: self, path: &path, method, best: None, allowed: Vec::new() };
        search.visit(0, 0);
        match (search.best, search.allowed) {
            (Some((order, head_as_get)), _) => {
                let Route { function, template, .. } = &self.routes[order];
                Match::Function { index: *function, params: template.capture(&path, self.prefix_segments), head_as_get }
            }
            (None, allowed) if allowed.is_empty() => Match::NotFound,
            (None, allowed) => Match::MethodNotAllowed { allow: allow_header(&allowed) },
        }
    }
}

impl RouteTable {
    /// As [`RouteTable::find`], for whoever has several tables and must choose one.
    pub fn reach(&self, method: &str, path: &str) -> Reach {
        let Some(path) = Path::split(path) else { return Reach::Nothing };
        let mut search = Search { table: self, path: &path, method, best: None, allowed: Vec::new() };
        search.visit(0, 0);
        match (search.best, search.allowed.is_empty()) {
            (Some((order, _)), _) => {
                let mut precedence = vec![Segment::LITERAL_PRECEDENCE; self.prefix_segments];
                precedence.extend(self.routes[order].template.precedence());
                Reach::Function(Precedence(precedence))
            }
            (None, false) => Reach::OtherMethod,
            (None, true) => Reach::Nothing,
        }
    }
}

impl Node {
    fn new(order: usize) -> Self {
        Node {
            literals: BTreeMap::new(),
            parameters: Vec::new(),
            ends: Vec::new(),
            catch_alls: Vec::new(),
            best_order: order,
        }
    }
}

fn insert(nodes: &mut Vec<Node>, order: usize, prefix: &[Segment], segments: &[Segment]) {
    let mut node = 0;
    for segment in prefix {
        node = child(nodes, node, segment, order);
    }
    for (index, segment) in segments.iter().enumerate() {
        if segments[index..].iter().all(Segment::may_be_absent) && !matches!(segment, Segment::CatchAll { .. }) {
            nodes[node].ends.push(order);
        }
        if matches!(segment, Segment::CatchAll { .. }) {
            nodes[node].catch_alls.push(order);
            return;
        }
        node = child(nodes, node, segment, order);
    }
    nodes[node].ends.push(order);
}

/// The node behind a segment, made if need be. Routes come in ascending order, so that the first to make a node is its best.
fn child(nodes: &mut Vec<Node>, parent: usize, segment: &Segment, order: usize) -> usize {
    let existing = match segment {
        Segment::Literal(text) => nodes[parent].literals.get(&fold(text)).copied(),
        Segment::Parameter(_) | Segment::Mixed(_) | Segment::CatchAll { .. } => {
            nodes[parent].parameters.iter().find(|(known, _)| known == segment).map(|(_, node)| *node)
        }
    };
    if let Some(node) = existing {
        return node;
    }
    let node = nodes.len();
    nodes.push(Node::new(order));
    match segment {
        Segment::Literal(text) => {
            nodes[parent].literals.insert(fold(text), node);
        }
        Segment::Parameter(_) | Segment::Mixed(_) | Segment::CatchAll { .. } => {
            nodes[parent].parameters.push((segment.clone(), node));
        }
    }
    node
}

struct Search<'a> {
    table: &'a RouteTable,
    path: &'a Path<'a>,
    method: &'a str,
    /// Order of the best route so far, and whether it takes HEAD as GET.
    best: Option<(usize, bool)>,
    /// Methods of routes that match the path but not the method. Complete only while `best` is empty, since nothing is
    /// skipped until then.
    allowed: Vec<Methods>,
}

impl Search<'_> {
    /// Each node is reached by one way only, so that a search touches every node at most once.
    fn visit(&mut self, node: usize, depth: usize) {
        let table = self.table;
        let node = &table.nodes[node];
        if !self.could_improve(node.best_order) {
            return;
        }
        match self.path.segment(depth) {
            None => node.ends.iter().for_each(|order| self.offer(*order)),
            Some(text) => {
                if let Some(child) = node.literals.get(&*lower(text)) {
                    self.visit(*child, depth + 1);
                }
                for (segment, child) in &node.parameters {
                    if self.could_improve(table.nodes[*child].best_order) && segment.takes(text) {
                        self.visit(*child, depth + 1);
                    }
                }
            }
        }
        for order in &node.catch_alls {
            if self.could_improve(*order) && self.rest_fits(*order, depth) {
                self.offer(*order);
            }
        }
    }

    fn could_improve(&self, order: usize) -> bool {
        self.best.is_none_or(|(best, _)| order < best)
    }

    fn rest_fits(&self, order: usize, depth: usize) -> bool {
        let last = self.table.routes[order].template.segments.last();
        last.is_some_and(|catch_all| catch_all.takes(&self.path.rest(depth)))
    }

    fn offer(&mut self, order: usize) {
        let methods = self.table.routes[order].methods;
        match methods.accept(self.method) {
            Acceptance::No => self.allowed.push(methods),
            accepted if self.could_improve(order) => self.best = Some((order, accepted == Acceptance::AsGet)),
            Acceptance::AsIs | Acceptance::AsGet => {}
        }
    }
}

/// Most paths are in lower case already and are not copied.
fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(fold(text))
    }
}

fn allow_header(allowed: &[Methods]) -> Vec<Method> {
    let listed = |method| allowed.iter().any(|methods| methods.contains(method));
    let head = listed(Method::Get);
    Method::ALL.into_iter().filter(|method| listed(*method) || (head && *method == Method::Head)).collect()
}
