package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class SpinLockTest {
  private static final int TURNS = 200_000;

  private long counter;

  @Test
  @Timeout(60) // one that never comes free fails here and does not hang
  void oneThreadAtATime() throws InterruptedException {
    SpinLock lock = new SpinLock();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      threads.add(
          new Thread(
              () -> {
                for (int turn = 0; turn < TURNS; turn++) {
                  lock.lock();
                  counter++;
                  lock.unlock();
                }
              }));
    }
    threads.forEach(Thread::start);
    for (Thread t : threads) {
      t.join();
    }
    assertEquals(8L * TURNS, counter);
  }
}
