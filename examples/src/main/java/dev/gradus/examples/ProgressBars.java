package dev.gradus.examples;

import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Progress as a bar that moves: one for each epoch, gone when the epoch's line is printed. */
final class ProgressBars implements Progress {
  private static final int UPDATE_MILLIS = 200;

  private final long all;
  private @Nullable ProgressBar bar;

  /**
   * Bars.
   *
   * @param all the names of an epoch
   */
  ProgressBars(long all) {
    this.all = all;
  }

  @Override
  public void begin(int epoch) {
    close();
    bar =
        ProgressBar.builder()
            .setTaskName("epoch " + epoch)
            .setInitialMax(all)
            .setUnit(" names", 1)
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(UPDATE_MILLIS)
            .showSpeed(new DecimalFormat("#,##0", DecimalFormatSymbols.getInstance(Locale.ROOT)))
            .hideEta()
            .clearDisplayOnFinish()
            .build();
  }

  @Override
  public void step(long names, double loss, String rates) {
    if (bar != null) {
      bar.setExtraMessage(String.format(Locale.ROOT, " loss %.4f, lr %s", loss, rates));
      bar.stepTo(names);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
