//! One component, linked for one kind of sandbox and ready to be instantiated: everything that can be done before a call
//! is done here, once.

use crate::bindings::exports;
use crate::engine::EnginePair;
use crate::fault;
use crate::memory::MemoryLimit;
use wasmtime::Store;
use wasmtime::component::{Component, Instance, InstancePre, Linker};
use wasmtime_wasi_http::p2::bindings::exports::wasi::http::incoming_handler;

/// What a guest of a sandbox carries with it.
pub(crate) trait GuestState: Send + Sized + 'static {
    fn memory_limit(&mut self) -> &mut MemoryLimit;

    /// Says what happens to a new guest whenever a tick has passed.
    fn on_tick(store: &mut Store<Self>);
}

/// A component in one kind of sandbox.
pub(crate) struct Sandbox<T: 'static> {
    pooled: Option<Linked<T>>,
    on_demand: Linked<T>,
}

/// A component linked for one engine.
struct Linked<T: 'static> {
    pre: InstancePre<T>,
    exports: Exports,
}

/// Where in the component its exports are; absent ones are not offered.
pub(crate) struct Exports {
    pub(crate) describe: Option<exports::describe::GuestIndices>,
    pub(crate) activity: Option<exports::activity::GuestIndices>,
    pub(crate) orchestrator: Option<exports::orchestrator::GuestIndices>,
    pub(crate) entity: Option<exports::entity::GuestIndices>,
    pub(crate) http: Option<exports::http::GuestIndices>,
    pub(crate) queue: Option<exports::queue::GuestIndices>,
    pub(crate) timer: Option<exports::timer::GuestIndices>,
    pub(crate) wasi_http: Option<incoming_handler::GuestIndices>,
}

/// A fresh guest.
pub(crate) struct Guest<'a, T: 'static> {
    pub(crate) store: Store<T>,
    pub(crate) instance: Instance,
    pub(crate) exports: &'a Exports,
}

/// A component compiled for both engines of a kind of sandbox.
pub(crate) struct Compiled {
    pub(crate) pooled: Option<Component>,
    pub(crate) on_demand: Component,
}

/// An interface that a kind of sandbox does not offer.
pub(crate) struct Forbidden {
    /// Its name, without a version.
    pub(crate) interface: &'static str,
    /// What the guest is told when it calls one of its functions.
    pub(crate) text: &'static str,
}

/// The linkers of one kind of sandbox.
pub(crate) struct Linkers<T: 'static> {
    pooled: Option<Linker<T>>,
    on_demand: Linker<T>,
}

impl<T: 'static> Linkers<T> {
    pub(crate) fn new(
        engines: &EnginePair,
        define: impl Fn(&mut Linker<T>) -> wasmtime::Result<()>,
    ) -> wasmtime::Result<Linkers<T>> {
        let linker = |engine| {
            let mut linker = Linker::new(engine);
            define(&mut linker)?;
            Ok::<_, wasmtime::Error>(linker)
        };
        Ok(Linkers { pooled: engines.pooled.as_ref().map(linker).transpose()?, on_demand: linker(&engines.on_demand)? })
    }

    /// Links a component. What it imports of `forbidden` interfaces traps with the text that goes with them.
    pub(crate) fn link(&self, compiled: &Compiled, forbidden: &[Forbidden]) -> wasmtime::Result<Sandbox<T>> {
        let pooled = match (&self.pooled, &compiled.pooled) {
            (Some(linker), Some(component)) => Some(Linked::new(linker, component, forbidden)?),
            (Some(_) | None, _) => None,
        };
        Ok(Sandbox { pooled, on_demand: Linked::new(&self.on_demand, &compiled.on_demand, forbidden)? })
    }
}

impl<T: 'static> Linked<T> {
    fn new(linker: &Linker<T>, component: &Component, forbidden: &[Forbidden]) -> wasmtime::Result<Linked<T>> {
        let mut linker = linker.clone();
        linker.allow_shadowing(true);
        for forbidden in forbidden {
            trap_imports(&mut linker, component, forbidden)?;
        }
        let pre = linker.instantiate_pre(component)?;
        let exports = Exports::of(&pre);
        Ok(Linked { pre, exports })
    }
}

/// Defines what the component imports of an interface, and only that: versions differ in what they have.
fn trap_imports<T: 'static>(
    linker: &mut Linker<T>,
    component: &Component,
    &Forbidden { interface, text }: &Forbidden,
) -> wasmtime::Result<()> {
    use wasmtime::component::types::ComponentItem;
    let engine = component.engine();
    for (name, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else {
            continue;
        };
        if name.split('@').next() != Some(interface) {
            continue;
        }
        let mut definitions = linker.instance(name)?;
        for (function, export) in instance.exports(engine) {
            if matches!(export.ty, ComponentItem::ComponentFunc(_)) {
                definitions.func_new(function, move |_, _, _, _| Err(fault::Stop::forbidden(text)))?;
            }
        }
    }
    Ok(())
}

impl Exports {
    fn of<T: 'static>(pre: &InstancePre<T>) -> Exports {
        Exports {
            describe: exports::describe::GuestIndices::new(pre).ok(),
            activity: exports::activity::GuestIndices::new(pre).ok(),
            orchestrator: exports::orchestrator::GuestIndices::new(pre).ok(),
            entity: exports::entity::GuestIndices::new(pre).ok(),
            http: exports::http::GuestIndices::new(pre).ok(),
            queue: exports::queue::GuestIndices::new(pre).ok(),
            timer: exports::timer::GuestIndices::new(pre).ok(),
            wasi_http: incoming_handler::GuestIndices::new(pre).ok(),
        }
    }
}

impl<T: GuestState> Sandbox<T> {
    pub(crate) fn exports(&self) -> &Exports {
        &self.on_demand.exports
    }

    /// Makes a fresh guest, in a place of the pool if there is one.
    pub(crate) async fn instantiate(&self, state: T) -> wasmtime::Result<Guest<'_, T>> {
        let Some(pooled) = &self.pooled else {
            return self.on_demand.instantiate(state).await.map_err(|(error, _)| error);
        };
        match pooled.instantiate(state).await {
            Ok(guest) => Ok(guest),
            Err((error, state)) if fault::is_pool_exhausted(&error) => {
                self.on_demand.instantiate(state).await.map_err(|(error, _)| error)
            }
            Err((error, _)) => Err(error),
        }
    }
}

impl<T: GuestState> Linked<T> {
    /// The state comes back from a failed attempt.
    async fn instantiate(&self, state: T) -> Result<Guest<'_, T>, (wasmtime::Error, T)> {
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| state.memory_limit());
        store.set_epoch_deadline(1);
        T::on_tick(&mut store);
        match self.pre.instantiate_async(&mut store).await {
            Ok(instance) => Ok(Guest { store, instance, exports: &self.exports }),
            Err(error) => Err((error, store.into_data())),
        }
    }
}
