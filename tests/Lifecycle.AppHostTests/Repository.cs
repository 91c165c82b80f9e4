using System.Reflection;

namespace Lifecycle.AppHostTests;

/// <summary>Where the build put things.</summary>
internal static class Repository
{
    public static string Root => Metadata("RepositoryRoot");

    public static string AppHost => Metadata("AppHost");

    public static string Layout => Path.Combine(Root, ".tools", "aspire");

    private static string Metadata(string key) =>
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
