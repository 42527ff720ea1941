package dev.gradus.examples;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/**
 * The directions of ARCHITECTURE.md: layers, no cycles, and nothing public in a backend but its
 * provider.
 */
@AnalyzeClasses(packages = "dev.gradus", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  @ArchTest
  static final ArchRule layersPointDown =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("types")
          .definedBy("dev.gradus.types..")
          .layer("spi")
          .definedBy("dev.gradus.spi..")
          .layer("tensor")
          .definedBy("dev.gradus.tensor..")
          .layer("nn")
          .definedBy("dev.gradus.nn..")
          .layer("optim")
          .definedBy("dev.gradus.optim..")
          .layer("io")
          .definedBy("dev.gradus.io..")
          .layer("cpu")
          .definedBy("dev.gradus.backend.cpu..")
          .layer("cuda")
          .definedBy("dev.gradus.backend.cuda..")
          .layer("examples")
          .definedBy("dev.gradus.examples..")
          .whereLayer("examples")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("cpu")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("cuda")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("io")
          .mayOnlyBeAccessedByLayers("examples")
          .whereLayer("optim")
          .mayOnlyBeAccessedByLayers("io", "examples")
          .whereLayer("nn")
          .mayOnlyBeAccessedByLayers("optim", "io", "examples")
          .whereLayer("tensor")
          .mayOnlyBeAccessedByLayers("nn", "optim", "io", "examples")
          .whereLayer("spi")
          .mayOnlyBeAccessedByLayers("tensor", "nn", "optim", "io", "cpu", "cuda", "examples");

  @ArchTest
  static final ArchRule noPackageCycles =
      slices().matching("dev.gradus.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule coreNeedsOnlyTheJdk =
      classes()
          .that()
          .resideInAnyPackage(
              "dev.gradus.types..", "dev.gradus.spi..", "dev.gradus.tensor..", "dev.gradus.nn..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "org.jspecify.annotations..",
              "dev.gradus.types..",
              "dev.gradus.spi..",
              "dev.gradus.tensor..",
              "dev.gradus.nn..");

  @ArchTest
  static final ArchRule onlyTheProviderOfABackendIsPublic =
      classes()
          .that()
          .resideInAPackage("dev.gradus.backend..")
          .and()
          .arePublic()
          .should()
          .haveSimpleNameEndingWith("Provider");

  @ArchTest
  static final ArchRule onlyTwoClassesKnowJCuda =
      noClasses()
          .that()
          .haveNameNotMatching("dev\\.gradus\\.backend\\.cuda\\.(Cu|CuBlas)(\\$.*)?")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("jcuda..");
}
