using System.Reflection;

namespace Lifecycle.ArchitectureTests;

/// <summary>The source tree that the tests were built from, and the assemblies built from it.</summary>
internal static class Sources
{
    public static readonly string[] Services = ["Capture", "Scoring", "Nurture", "Conversion", "Retention"];

    public static string Root => Testing.Repository.Root;

    public static IEnumerable<string> SourceFiles =>
        new[] { "services", "gateway", "ServiceDefaults", "AppHost", "eng", "samples", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal)
                && !file.Contains("/node_modules/", StringComparison.Ordinal));

    public static IEnumerable<Assembly> ServiceAssemblies =>
        Services.Append("Gateway").Select(service => Assembly.Load($"Lifecycle.{service}"));
}
