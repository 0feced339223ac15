// A move-only function object without arguments or with some; std::move_only_function is C++23.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace fwd {

template <class Signature>
class unique_function;

/// Owns one callable. Small ones (three words) are kept inside, so that the data path does not allocate for them.
template <class R, class... A>
class unique_function<R(A...)> {
public:
    unique_function() = default;

    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, unique_function> && std::is_invocable_r_v<R, F&, A...>)
        unique_function(F&& f) // NOLINT: converting on purpose
    {
        using callable = std::decay_t<F>;
        if constexpr (fits<callable>) {
            ::new (static_cast<void*>(room_)) callable(std::forward<F>(f));
            call_ = [](void* at, A... a) -> R { return (*static_cast<callable*>(at))(std::forward<A>(a)...); };
            manage_ = [](void* from, void* to) {
                auto* it = static_cast<callable*>(from);
                if (to) ::new (to) callable(std::move(*it));
                it->~callable();
            };
        } else {
            ::new (static_cast<void*>(room_)) callable*(new callable(std::forward<F>(f)));
            call_ = [](void* at, A... a) -> R { return (**static_cast<callable**>(at))(std::forward<A>(a)...); };
            manage_ = [](void* from, void* to) {
                auto* it = static_cast<callable**>(from);
                if (to)
                    ::new (to) callable*(*it);
                else
                    delete *it;
            };
        }
    }

    unique_function(unique_function&& other) noexcept { take(other); }
    unique_function& operator=(unique_function&& other) noexcept
    {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    ~unique_function() { reset(); }

    R operator()(A... a) { return call_(room_, std::forward<A>(a)...); }
    explicit operator bool() const { return call_ != nullptr; }
    void reset()
    {
        if (manage_) manage_(room_, nullptr);
        call_ = nullptr;
        manage_ = nullptr;
    }

private:
    template <class F>
    static constexpr bool fits = sizeof(F) <= 3 * sizeof(void*) && alignof(F) <= alignof(void*) && std::is_nothrow_move_constructible_v<F>;

    void take(unique_function& other)
    {
        call_ = std::exchange(other.call_, nullptr);
        manage_ = std::exchange(other.manage_, nullptr);
        if (manage_) manage_(other.room_, room_);
    }

    alignas(void*) std::byte room_[3 * sizeof(void*)];
    R (*call_)(void*, A...) = nullptr;
    void (*manage_)(void*, void*) = nullptr;
};

using callback = unique_function<void()>;

} // namespace fwd
