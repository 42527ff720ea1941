#include "modes.h"

#include <sstream>
#include <stdexcept>

namespace emulator {

Modes Modes::parse(const std::string& text) {
    Modes modes;
    std::stringstream words(text);
    std::string word;
    while (std::getline(words, word, ',')) {
        if (word.empty()) continue;
        const size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
        if (name == "race") modes.race = true;
        else if (name == "order") modes.order = std::stoull(value);
        else if (name == "defer") modes.defer = std::stoull(value);
        else if (name == "memory") modes.memory = std::stoull(value);
        else if (name == "devices") modes.devices = std::stoi(value);
        else if (name == "driver") modes.driver = std::stoi(value);
        else if (name == "capability") modes.capability = std::stoi(value);
        else if (name == "ptx") modes.ptx = std::stoi(value);
        else if (name == "fail-call") modes.failCall = std::stol(value);
        else if (name == "fail-allocation") modes.failAllocation = std::stol(value);
        else if (name == "fail-code") modes.failCode = std::stoi(value);
        else if (name == "fail-name") modes.failName = value;
        else if (name == "threads") modes.threads = std::stoi(value);
        else if (name == "limit") modes.limit = std::stoull(value);
        else throw std::invalid_argument("emulator: unknown mode '" + word + "'");
    }
    return modes;
}

int Modes::highestPtx() const {
    if (ptx != 0) return ptx;
    // CUDA 12.x brought PTX 8.0 to 8.8 (12.6 kept 8.5), CUDA 13.0 brought 9.0; CUDA 11.x had 7.0 to 7.8.
    const int major = driver / 1000, minor = driver % 1000 / 10;
    if (major >= 13) return 90 + minor;
    if (major == 12) return 80 + (minor >= 6 ? minor - 1 : minor);
    return 70 + minor;
}

}  // namespace emulator
