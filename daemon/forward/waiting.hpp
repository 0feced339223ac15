// Connections that are held while a pod may come: how many may. Data thread.
#pragma once

#include <cstddef>
#include <utility>

namespace fwd::forward {

class waiting_room {
public:
    waiting_room(std::size_t per_service, std::size_t in_all) : per_service_{per_service}, in_all_{in_all} {}

    /// One connection's place; given back with the object.
    class place {
    public:
        place() = default;
        place(place&& other) noexcept : room_{std::exchange(other.room_, nullptr)}, of_service_{other.of_service_} {}
        place& operator=(place&& other) noexcept
        {
            std::swap(room_, other.room_);
            std::swap(of_service_, other.of_service_);
            return *this;
        }
        ~place()
        {
            if (!room_) return;
            --room_->held_;
            --*of_service_;
        }
        explicit operator bool() const { return room_ != nullptr; }

    private:
        friend class waiting_room;
        waiting_room* room_ = nullptr;
        std::size_t* of_service_ = nullptr;
    };

    /// `of_service` counts those of one service and outlives the place. Nothing when either is full.
    [[nodiscard]] place enter(std::size_t& of_service)
    {
        place made;
        if (of_service >= per_service_ || held_ >= in_all_) return made;
        made.room_ = this;
        made.of_service_ = &of_service;
        ++of_service;
        ++held_;
        return made;
    }
    [[nodiscard]] std::size_t held() const { return held_; }

private:
    const std::size_t per_service_, in_all_;
    std::size_t held_ = 0;
};

} // namespace fwd::forward
