// Trusts: what Finish and NormIn say, in double, on sums that Finish::kStore gave.
#include "tests/cuda/matmul_case.h"
#include "tests/cuda/orders.h"

namespace forge::kernels::cuda {
namespace {

// Few tokens, more than a block of them, and a prompt; on a device that makes few and many of them.
struct Shape {
  int32_t n_tokens;
  int32_t n_processors;
};
constexpr Shape kShapes[] = {{3, 132}, {13, 1}, {37, 1}, {70, 4}, {195, 1}};
constexpr int64_t kRows = 88;
constexpr float kEps = 1e-5f;

class MatmulFinish : public ::testing::TestWithParam<ProductType> {
 protected:
  // A norm over 3 tiles and a bias; v is what comes of them.
  void run(const std::function<void(const Shape&, MatmulTask)>& test) {
    for (const Shape& shape : kShapes) {
      SCOPED_TRACE(shape.n_tokens);
      MatmulTask task = product_.task();
      task.n_tokens = shape.n_tokens;
      const auto in_order = [&] {
        sums_ = stored(device_, task, shape.n_processors);
        MatmulTask with_norm = task;
        with_norm.norm = {.squares = squares_on_.data(), .n_tiles = 3, .eps = kEps};
        with_norm.bias = bias_on_.data();
        test(shape, with_norm);
      };
      // Types differ in what a number is, not in who writes when.
      GetParam() == ProductType::kBf16 ? in_every_order(in_order) : in_order();
    }
  }
  [[nodiscard]] double v(int64_t token, int64_t row) const {
    double mean = 0.0;
    for (int64_t i = 0; i < 3; ++i) {
      mean += static_cast<double>(squares_[static_cast<size_t>(token * 3 + i)]) / 48;
    }
    return static_cast<double>(sums_[static_cast<size_t>(token * (kRows + 3) + row)]) /
               std::sqrt(mean + static_cast<double>(kEps)) +
           static_cast<double>(bias_[static_cast<size_t>(row)]);
  }
  void launch(const Shape& shape, const MatmulTask& task) {
    OnDevice::require(matmul(device_.stream(), with_processors(device_, shape.n_processors), task));
  }
  [[nodiscard]] DeviceArray<std::byte> elements(size_t n) {
    return device_.array<std::byte>(n * static_cast<size_t>(element_bytes(GetParam())));
  }
  [[nodiscard]] static size_t at(int64_t token, int64_t row) {
    return static_cast<size_t>(token * (kRows + 3) + row);
  }
  [[nodiscard]] static std::vector<float> squares_of_tokens() {
    std::vector<float> squares = random_floats(195 * 3, 8);
    for (float& square : squares) square = square * square * 20.0f + 1.0f;
    return squares;
  }

  OnDevice device_;
  MatmulCase product_{device_, DType::kBF16, kRows, 192, 195, GetParam()};
  std::vector<float> squares_ = squares_of_tokens();
  DeviceArray<float> squares_on_ = device_.upload(squares_);
  std::vector<float> bias_ = random_floats(kRows, 9);
  DeviceArray<float> bias_on_ = device_.upload(bias_);
  std::vector<float> sums_;
};

constexpr double kRounding = 0x1p-21;  // of v: a few roundings to f32

TEST_P(MatmulFinish, Stores) {
  run([&](const Shape& shape, const MatmulTask& task) {
    const std::vector<float> y = stored(device_, task, shape.n_processors);
    for (int64_t token = 0; token < shape.n_tokens; ++token) {
      for (int64_t row = 0; row < kRows; ++row) {
        const double want = v(token, row);
        ASSERT_NEAR(y[at(token, row)], want, (std::fabs(want) + 3) * kRounding);
      }
    }
  });
}

TEST_P(MatmulFinish, AddsAndPreparesTheNextNorm) {
  const std::vector<float> before = random_floats(195 * (kRows + 3), 10);
  const std::vector<float> weights = random_floats(kRows, 11);
  const auto weight = device_.upload(weights);
  run([&](const Shape& shape, MatmulTask task) {
    const auto h = device_.upload(before);
    const auto scaled = elements(195 * (kRows + 3));
    const auto squares = device_.array<float>(195 * 6);
    task.finish = Finish::kAdd;
    task.y = h.data();
    task.y_stride = kRows + 3;
    task.next = {weight.data(), scaled.data(), kRows + 3, squares.data()};
    launch(shape, task);
    const std::vector<float> got = device_.download(h);
    const std::vector<uint32_t> got_scaled = from_elements(device_.download(scaled), GetParam());
    const std::vector<float> got_squares = device_.download(squares);
    for (int64_t token = 0; token < 195; ++token) {
      std::vector<double> sums(6);
      for (int64_t row = 0; row < kRows + 3; ++row) {
        const size_t i = at(token, row);
        if (token >= shape.n_tokens || row >= kRows) {
          ASSERT_EQ(got[i], before[i]);
          ASSERT_EQ(got_scaled[i], unwritten(GetParam()));
          continue;
        }
        const double want = static_cast<double>(before[i]) + v(token, row);
        ASSERT_NEAR(got[i], want, (std::fabs(want) + 6) * kRounding);
        const float scaled_h = got[i] * weights[static_cast<size_t>(row)];
        ASSERT_EQ(half_number(got_scaled[i], GetParam()),
                  half_number(half_bits(scaled_h, GetParam()), GetParam()));
        sums[static_cast<size_t>(row / 16)] +=
            static_cast<double>(got[i]) * static_cast<double>(got[i]);
      }
      for (size_t tile = 0; tile < 6; ++tile) {
        const float square = got_squares[static_cast<size_t>(token) * 6 + tile];
        if (token >= shape.n_tokens) {
          ASSERT_TRUE(std::isnan(square));
        } else {
          ASSERT_NEAR(square, sums[tile], sums[tile] * kRounding);
        }
      }
    }
  });
}

TEST_P(MatmulFinish, AddsWithoutANextNorm) {
  const std::vector<float> before = random_floats(195 * (kRows + 3), 10);
  run([&](const Shape& shape, MatmulTask task) {
    const auto h = device_.upload(before);
    task.finish = Finish::kAdd;
    task.y = h.data();
    task.y_stride = kRows + 3;
    launch(shape, task);
    const std::vector<float> got = device_.download(h);
    for (int64_t token = 0; token < shape.n_tokens; ++token) {
      for (int64_t row = 0; row < kRows; ++row) {
        const double want = static_cast<double>(before[at(token, row)]) + v(token, row);
        ASSERT_NEAR(got[at(token, row)], want, (std::fabs(want) + 6) * kRounding);
      }
    }
  });
}

TEST_P(MatmulFinish, GatesRowsInEights) {
  for (const Gate gate : {Gate::kSilu, Gate::kGeluTanh}) {
    SCOPED_TRACE(gate == Gate::kSilu ? "silu" : "gelu");
    run([&](const Shape& shape, MatmulTask task) {
      const int64_t stride = kRows / 2 + 5;
      const auto y = elements(static_cast<size_t>(shape.n_tokens * stride));
      task.finish = Finish::kGated;
      task.gate = gate;
      task.y = y.data();
      task.y_stride = stride;
      launch(shape, task);
      const std::vector<uint32_t> got = from_elements(device_.download(y), GetParam());
      for (int64_t token = 0; token < shape.n_tokens; ++token) {
        for (int64_t i = 0; i < stride; ++i) {
          const uint32_t value = got[static_cast<size_t>(token * stride + i)];
          // The last tile has 8 rows: a gate without its up; it does not happen with real weights.
          if (i >= 40) {
            if (i >= 48) {
              ASSERT_EQ(value, unwritten(GetParam()));
            }
            continue;
          }
          const double x = v(token, i / 8 * 16 + i % 8);
          const double up = v(token, i / 8 * 16 + i % 8 + 8);
          const double tanh_u = std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x));
          const double active =
              gate == Gate::kSilu ? x / (1.0 + std::exp(-x)) : 0.5 * x * (1.0 + tanh_u);
          const double want = active * up;
          const double rounding = GetParam() == ProductType::kBf16   ? 0x1.02p-8
                                  : GetParam() == ProductType::kTf32 ? 0x1.02p-11
                                                                     : 0.0;
          // The gate's own rounding is relative to x where it is near zero.
          ASSERT_NEAR(half_number(value, GetParam()), want,
                      std::fabs(want) * rounding + (std::fabs(x) + 3) * (std::fabs(up) + 3) * 4e-6);
        }
      }
    });
  }
}

TEST_P(MatmulFinish, LogitsComeWithMaxima) {
  run([&](const Shape& shape, MatmulTask task) {
    const auto y = device_.array<float>(static_cast<size_t>(shape.n_tokens * (kRows + 3)));
    const auto maxima = device_.array<float>(static_cast<size_t>(shape.n_tokens) * 6);
    task.finish = Finish::kLogits;
    task.y = y.data();
    task.y_stride = kRows + 3;
    task.maxima = maxima.data();
    launch(shape, task);
    const std::vector<float> got = device_.download(y);
    const std::vector<float> got_maxima = device_.download(maxima);
    for (int64_t token = 0; token < shape.n_tokens; ++token) {
      for (int64_t tile = 0; tile < 6; ++tile) {
        float most = -INFINITY;
        for (int64_t row = tile * 16; row < std::min<int64_t>(tile * 16 + 16, kRows); ++row) {
          const double want = v(token, row);
          ASSERT_NEAR(got[at(token, row)], want, (std::fabs(want) + 3) * kRounding);
          most = std::max(most, got[at(token, row)]);
        }
        ASSERT_EQ(got_maxima[static_cast<size_t>(token * 6 + tile)], most);
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Types, MatmulFinish,
                         testing::Values(ProductType::kBf16, ProductType::kTf32, ProductType::kF32),
                         [](const auto& test) { return std::string(name(test.param)); });

}  // namespace
}  // namespace forge::kernels::cuda
