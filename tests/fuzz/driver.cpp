// Runs a libFuzzer target under any compiler: mutates seeds, and inputs of its own, a bounded number of times, and always the same way.
//   TARGET [--runs N] [--seed S] [--most BYTES] [FILE|FOLDER...]
// A crash is the sanitizer's or the kernel's to tell; the input at fault is then in the file crash-TARGET. Given files alone are run
// with --runs 0.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using bytes = std::vector<std::uint8_t>;

struct options {
    std::uint64_t runs = 10000;
    std::uint64_t seed = 1;
    std::size_t most = 4096;
    std::vector<std::string> files;
};

options parse(int count, char** words)
{
    options found;
    for (int i = 1; i < count; ++i) {
        const std::string_view word{words[i]};
        const auto number = [&] { return i + 1 < count ? std::strtoull(words[++i], nullptr, 10) : 0; };
        if (word == "--runs")
            found.runs = number();
        else if (word == "--seed")
            found.seed = number();
        else if (word == "--most")
            found.most = number();
        else
            found.files.emplace_back(word);
    }
    return found;
}

bytes read_file(const std::filesystem::path& path)
{
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<bytes> read_seeds(const std::vector<std::string>& paths)
{
    std::vector<std::filesystem::path> files;
    for (const auto& path : paths) {
        if (std::filesystem::is_directory(path))
            for (const auto& entry : std::filesystem::directory_iterator{path}) files.push_back(entry.path());
        else
            files.emplace_back(path);
    }
    std::sort(files.begin(), files.end());
    std::vector<bytes> seeds{{}};
    for (const auto& file : files) seeds.push_back(read_file(file));
    return seeds;
}

/// Changes inputs in the ways that upset parsers: bits, edges of numbers, lengths, cuts, repeats and splices.
class mutator {
public:
    mutator(std::uint64_t seed, std::size_t most) : chance_{seed}, most_{most} {}

    std::size_t below(std::size_t bound) { return bound ? chance_() % bound : 0; }

    bytes mutate(bytes input, const bytes& other)
    {
        for (auto times = 1 + below(6); times > 0; --times) once(input, other);
        if (input.size() > most_) input.resize(most_);
        return input;
    }

private:
    void once(bytes& input, const bytes& other)
    {
        static constexpr std::uint8_t edges[] = {0x00, 0x01, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff, '\n', '\r', ' ', '#', '"', '{'};
        const auto at = below(input.size() + 1);
        const auto span = 1 + below(std::min<std::size_t>(input.size() - std::min(at, input.size()) + 1, 32));
        const auto begin = input.begin() + static_cast<std::ptrdiff_t>(at);
        const auto end = input.begin() + static_cast<std::ptrdiff_t>(std::min(at + span, input.size()));
        switch (below(9)) {
        case 0: // a bit
            if (at < input.size()) input[at] ^= static_cast<std::uint8_t>(1u << below(8));
            break;
        case 1: // a byte
            if (at < input.size()) input[at] = static_cast<std::uint8_t>(chance_());
            break;
        case 2: // an edge
            if (at < input.size()) input[at] = edges[below(std::size(edges))];
            break;
        case 3: // a number's edge, big or little end first
            for (std::size_t i = 0; i < 2 + below(3) && at + i < input.size(); ++i) input[at + i] = below(2) ? 0xff : 0x00;
            break;
        case 4: input.erase(begin, end); break;
        case 5: { // repeat
            const bytes piece(begin, end);
            input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), piece.begin(), piece.end());
            break;
        }
        case 6: { // fresh bytes
            bytes piece(span);
            for (auto& one : piece) one = static_cast<std::uint8_t>(chance_());
            input.insert(begin, piece.begin(), piece.end());
            break;
        }
        case 7: { // a piece of another input
            const auto from = below(other.size() + 1), length = below(other.size() - from + 1);
            input.insert(begin, other.begin() + static_cast<std::ptrdiff_t>(from),
                         other.begin() + static_cast<std::ptrdiff_t>(from + std::min<std::size_t>(length, 256)));
            break;
        }
        default: // cut short
            if (below(4) == 0) input.resize(at);
        }
    }

    std::mt19937_64 chance_;
    std::size_t most_;
};

/// Keeps the input being tried in a file, so that it outlives a crash.
class last_input {
public:
    explicit last_input(std::string path) : path_{std::move(path)}, file_{::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)} {}
    last_input(const last_input&) = delete;
    last_input& operator=(const last_input&) = delete;
    ~last_input()
    {
        ::close(file_);
        ::unlink(path_.c_str());
    }
    void keep(const bytes& input)
    {
        if (::pwrite(file_, input.data(), input.size(), 0) < 0 || ::ftruncate(file_, static_cast<off_t>(input.size())) != 0)
            std::perror(path_.c_str());
    }

private:
    std::string path_;
    int file_;
};

} // namespace

int main(int count, char** words)
{
    const auto how = parse(count, words);
    auto corpus = read_seeds(how.files);
    mutator change{how.seed, how.most};
    last_input crash{"crash-" + std::filesystem::path{words[0]}.filename().string()};
    const auto given = corpus.size();
    for (const auto& seed : corpus) {
        crash.keep(seed);
        LLVMFuzzerTestOneInput(seed.data(), seed.size());
    }
    for (std::uint64_t run = 0; run < how.runs; ++run) {
        auto input = change.mutate(corpus[change.below(corpus.size())], corpus[change.below(corpus.size())]);
        crash.keep(input);
        // An exact allocation, so that reading one byte too far is seen.
        const auto exact = std::make_unique<std::uint8_t[]>(input.size());
        std::copy(input.begin(), input.end(), exact.get());
        LLVMFuzzerTestOneInput(exact.get(), input.size());
        // Without coverage to guide it, depth comes from building on earlier inputs.
        if (corpus.size() < given + 256)
            corpus.push_back(std::move(input));
        else if (change.below(8) == 0)
            corpus[given + change.below(256)] = std::move(input);
    }
    std::printf("%llu inputs from %zu seeds\n", static_cast<unsigned long long>(how.runs), given);
    return 0;
}
