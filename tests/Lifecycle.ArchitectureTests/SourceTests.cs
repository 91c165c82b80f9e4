using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Lifecycle.ArchitectureTests;

/// <summary>Rules that the source itself must keep.</summary>
public sealed partial class SourceTests
{
    public static TheoryData<string> Services => [.. Sources.Services];

    [Theory]
    [MemberData(nameof(Services))]
    public void Domain_OfAService_UsesKernelAndTheRuntimeOnly(string service)
    {
        var domain = Path.Combine(Sources.Root, "services", service, "Domain");
        var allowed = new[] { "System", "Lifecycle.Kernel", $"Lifecycle.{service}.Domain" };
        string[] framework = ["System.Data", "System.Net.Http", "System.Net.Sockets", "System.IO"];

        var files = Directory.GetFiles(domain, "*.cs", SearchOption.AllDirectories);
        var faults = from file in files
                     from Match match in Using().Matches(File.ReadAllText(file))
                     let name = match.Groups["name"].Value
                     where !allowed.Any(prefix => Within(name, prefix)) || framework.Any(prefix => Within(name, prefix))
                     select $"{Path.GetRelativePath(Sources.Root, file)}: {name}";

        Assert.NotEmpty(files);
        Assert.Empty(faults);
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void Project_OfAService_RefersToNoOtherService(string service)
    {
        var project = XDocument.Load(Path.Combine(Sources.Root, "services", service, $"Lifecycle.{service}.csproj"));

        var referred = project.Descendants("ProjectReference")
            .Select(reference => reference.Attribute("Include")!.Value.Replace('\\', '/'));

        Assert.All(referred, path => Assert.True(
            path.StartsWith("../Shared/", StringComparison.Ordinal) || path.StartsWith("../../protos/", StringComparison.Ordinal)
                || path.StartsWith("../../ServiceDefaults/", StringComparison.Ordinal), path));
    }

    [Fact]
    public void Kernel_And_Contracts_TakeNoPackageAndNoProject()
    {
        foreach (var name in new[] { "Lifecycle.Kernel", "Lifecycle.Contracts" })
        {
            var project = XDocument.Load(Path.Combine(Sources.Root, "services/Shared", name, $"{name}.csproj"));
            Assert.Empty(project.Descendants("PackageReference").Concat(project.Descendants("ProjectReference")));
        }
    }

    [Fact]
    public void ServiceDefaults_KnowNothingOfTheDomain()
    {
        var project = XDocument.Load(Path.Combine(Sources.Root, "ServiceDefaults/Lifecycle.ServiceDefaults.csproj"));

        Assert.Empty(project.Descendants("ProjectReference"));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void Program_OfAService_FitsIn25Lines(string service)
    {
        Assert.InRange(File.ReadLines(Path.Combine(Sources.Root, "services", service, "Program.cs")).Count(), 5, 25);
    }

    [Fact]
    public void WallClock_RandomIds_AndSleeps_AreNotSuppressed()
    {
        var suppressed = from file in Sources.SourceFiles
                         where !file.Contains("/Migrations/", StringComparison.Ordinal)
                         let text = File.ReadAllText(file)
                         where text.Contains("pragma warning disable RS0030", StringComparison.Ordinal)
                             || text.Contains("\"RS0030\"", StringComparison.Ordinal)
                         select Path.GetRelativePath(Sources.Root, file);

        Assert.DoesNotContain(suppressed, file => !file.EndsWith("SourceTests.cs", StringComparison.Ordinal));
    }

    [Fact]
    public void Lines_OfTheSource_HaveAtMost140Columns()
    {
        var faults = Sources.SourceFiles.Where(file => !IsGenerated(file)).SelectMany(
            file => TooLong(File.ReadAllLines(file)).Select(number => $"{Path.GetRelativePath(Sources.Root, file)}:{number}"));

        Assert.Empty(faults);
    }

    [Theory]
    [InlineData("        var sum = first + second;", 0, false)]
    [InlineData("        var sum = first + second;", 140, true)]
    [InlineData("        // A comment that goes on", 140, true)]
    [InlineData("        \"a text\", ", 140, true)]
    [InlineData("        Call(\"a text that goes on", 140, true)]
    public void Line_BeyondTheLimit_IsFound(string line, int more, bool isFound) =>
        Assert.Equal(isFound, TooLong([line + new string('x', more)]).Any());

    [Theory]
    [InlineData("        $\"", "\");")]
    [InlineData("        + \"say \\\"", "\\\"\",")]
    [InlineData("        $$\"\"\"{\"a\":\"", "\"}\"\"\")];")]
    public void Line_OfOneTextAlone_MayBeLonger(string before, string after) =>
        Assert.Empty(TooLong([before + new string('x', 140) + after]));

    [Fact]
    public void Line_InsideARawString_MayBeLonger() =>
        Assert.Equal([5], TooLong(["var sql =", "    \"\"\"", new string('x', 141), "    \"\"\";", new string('x', 141)]));

    private static bool IsGenerated(string file) =>
        file.Contains("/Migrations/", StringComparison.Ordinal) || file.EndsWith(".Designer.cs", StringComparison.Ordinal);

    // Lines that a wrap could shorten, by number: not those inside a raw string, nor a text that stands alone on its line.
    private static IEnumerable<int> TooLong(string[] lines)
    {
        var isRaw = false;
        for (var index = 0; index < lines.Length; index++)
        {
            if (!isRaw && lines[index].Length > 140 && !TextAlone().IsMatch(lines[index]))
            {
                yield return index + 1;
            }

            isRaw ^= lines[index].Split("\"\"\"").Length % 2 == 0;
        }
    }

    private static bool Within(string name, string prefix) => name == prefix || name.StartsWith(prefix + ".", StringComparison.Ordinal);

    [GeneratedRegex(@"^\s*([?:+] )?(\$*""{3}((?!""{3}).)*""{3}|[$@]*""(?>[^""\\{]|\\.|\{\{|\{[^{}]*\}|\{)*"")[)\]},;]*$")]
    private static partial Regex TextAlone();

    [GeneratedRegex(@"^\s*(global\s+)?using\s+(static\s+)?(\w+\s*=\s*)?(?<name>[\w.]+)(<[^;]*>)?;", RegexOptions.Multiline)]
    private static partial Regex Using();
}
