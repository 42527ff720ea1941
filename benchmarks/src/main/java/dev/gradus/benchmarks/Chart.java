package dev.gradus.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.CategorySeries.CategorySeriesRenderStyle;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;

/** The ratios as points, or the times where nothing is compared. */
final class Chart {
  private static final int WIDTH_OF_POINT = 22;
  private static final int MARGINS = 300;
  private static final int HEIGHT = 720;

  private Chart() {}

  /** Writes the chart in SVG. */
  static void write(Results results, Path svg) throws IOException {
    List<String> names = new ArrayList<>();
    List<Double> values = new ArrayList<>();
    List<Pairs.Ratio> ratios = Pairs.in(results);
    for (Pairs.Ratio r : ratios) {
      names.add(r.title() + " " + String.join(" ", r.params().values()));
      values.add(Results.median(r.ratios()));
    }
    String axis = "time ÷ time, below 1 the first is faster";
    if (ratios.isEmpty()) {
      axis = "µs";
      for (Results.Row row : results.rows()) {
        names.add(row.of().toString());
        values.add(Results.median(row.micros()));
      }
    }
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(MARGINS + WIDTH_OF_POINT * names.size())
            .height(HEIGHT)
            .yAxisTitle(axis)
            .build();
    chart.getStyler().setXAxisLabelRotation(90).setYAxisLogarithmic(true).setLegendVisible(false);
    // Bars would begin at 0, which a logarithmic axis does not have.
    chart.getStyler().setDefaultSeriesRenderStyle(CategorySeriesRenderStyle.Scatter);
    chart.addSeries("median", names, values);
    VectorGraphicsEncoder.saveVectorGraphic(chart, svg.toString(), VectorGraphicsFormat.SVG);
  }
}
