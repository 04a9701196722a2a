//! What one call at a time can use, shared between callers: sessions of ONNX Runtime, threads of rten.
//!
//! A caller that finds all of them busy makes another, until there are as many as the pool allows, and then waits. So a
//! program that calls from one thread only ever pays for one, which for a session is a copy of the weights.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Up to `limit` things of a kind.
pub(super) struct Pool<T> {
    state: Mutex<State<T>>,
    returned: Condvar,
    limit: usize,
}

struct State<T> {
    idle: Vec<T>,
    /// Idle, lent, or being made.
    count: usize,
}

impl<T> Pool<T> {
    /// With one to begin with.
    #[cfg(any(feature = "ort", test))]
    pub(super) fn new(first: T, limit: usize) -> Self {
        let state = Mutex::new(State { idle: vec![first], count: 1 });
        Self { state, returned: Condvar::new(), limit }
    }

    /// Without any yet.
    #[cfg(feature = "rten")]
    pub(super) fn empty(limit: usize) -> Self {
        let state = Mutex::new(State { idle: Vec::new(), count: 0 });
        Self { state, returned: Condvar::new(), limit }
    }

    /// Lends one to `call`: an idle one, a new one while there are fewer than the limit, or the next that comes back.
    ///
    /// One whose call panicked is not used again.
    pub(super) fn with<R, E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
        call: impl FnOnce(&mut T) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut lease = self.lease();
        let item = match lease.item.take() {
            Some(item) => item,
            None => make()?,
        };
        call(lease.item.insert(item))
    }

    /// Something idle, or the right to make something.
    fn lease(&self) -> Lease<'_, T> {
        let mut state = self.lock();
        loop {
            if let Some(item) = state.idle.pop() {
                return Lease { pool: self, item: Some(item) };
            }
            if state.count < self.limit {
                state.count += 1;
                return Lease { pool: self, item: None };
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is lent, on its way back when this is dropped.
struct Lease<'a, T> {
    pool: &'a Pool<T>,
    item: Option<T>,
}

impl<T> Drop for Lease<'_, T> {
    fn drop(&mut self) {
        let item = self.item.take().filter(|_| !thread::panicking());
        let mut state = self.pool.lock();
        match item {
            Some(item) => state.idle.push(item),
            None => state.count -= 1,
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn one_caller_needs_one() {
        let pool = Pool::new(0, 4);
        for _ in 0..3 {
            let next = |item: &mut i32| {
                *item += 1;
                Ok(*item)
            };
            pool.with(|| Err("none is made"), next).unwrap();
        }
        assert_eq!(pool.with(|| Err("none is made"), |item| Ok(*item)), Ok(3));
    }

    #[test]
    fn callers_side_by_side_get_one_each_up_to_the_limit() {
        let (pool, made, barrier) = (Pool::new(0, 2), AtomicUsize::new(1), Barrier::new(2));
        let make = || Ok::<_, ()>(made.fetch_add(1, Ordering::Relaxed));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    pool.with(make, |_| {
                        barrier.wait();
                        Ok(())
                    })
                });
            }
        });
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    pool.with(make, |_| {
                        thread::yield_now();
                        Ok(())
                    })
                });
            }
        });
        assert_eq!(made.into_inner(), 2);
    }

    #[test]
    fn a_failure_to_make_one_leaves_its_place_free_and_a_panic_retires_it() {
        let pool = Pool::new(0, 1);
        let panicking = || pool.with(|| Err("none is made"), |_| -> Result<(), _> { panic!("on purpose") });
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        assert_eq!(pool.with(|| Err("cannot"), |_| Ok(())), Err("cannot"));
        assert_eq!(pool.with(|| Ok::<_, ()>(7), |item| Ok(*item)), Ok(7));
    }
}
