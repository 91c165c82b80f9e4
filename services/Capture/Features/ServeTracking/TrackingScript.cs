using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lifecycle.Capture.Domain.Tracking;
using Microsoft.Net.Http.Headers;

namespace Lifecycle.Capture.Features.ServeTracking;

/// <summary>The tracking script as it is served.</summary>
/// <param name="Plain">UTF-8.</param>
/// <param name="Compressed">The same by gzip.</param>
/// <param name="Tag">Weak, since it stands for both.</param>
internal sealed record TrackingScript(byte[] Plain, byte[] Compressed, EntityTagHeaderValue Tag)
{
    private static readonly byte[] Built = Read();

    /// <summary>What the built script ends with: its settings are still to be put in.</summary>
    private static ReadOnlySpan<byte> End => "(null);\n"u8;

    /// <summary>Without settings: it measures nothing, but loads itself again with the key that the page names.</summary>
    public static TrackingScript Bare { get; } = Make("null"u8);

    /// <summary>With what a page needs of the settings. Which source gets which number stays here.</summary>
    public static TrackingScript For(TrackingSettings settings) => Make(JsonSerializer.SerializeToUtf8Bytes(
        new ScriptSettings(
            settings.CookieDomain, settings.CookieDays, settings.RequireConsent, settings.RespectDnt, settings.OwnDomains,
            settings.DownloadExtensions, settings.Numbers.Count == 0 ? null : settings.DefaultNumber, settings.Numbers.Count > 0),
        ScriptJson.Default.ScriptSettings));

    private static TrackingScript Make(ReadOnlySpan<byte> settings)
    {
        byte[] plain = [.. Built.AsSpan()[..^End.Length], .. "("u8, .. settings, .. ");\n"u8];
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(plain);
        }

        return new(plain, buffer.ToArray(), new($"\"{Convert.ToHexString(SHA256.HashData(plain).AsSpan(0, 8))}\"", isWeak: true));
    }

    private static byte[] Read()
    {
        using var stream = typeof(TrackingScript).Assembly.GetManifestResourceStream("t.js")!;
        using var buffer = new MemoryStream();
        stream.CopyTo(buffer);
        var built = buffer.ToArray();
        return built.AsSpan().EndsWith(End) ? built : throw new InvalidOperationException("t.js does not end as eng/script makes it.");
    }
}

/// <summary>The script's settings, named as in services/Capture/script/src/settings.ts.</summary>
internal sealed record ScriptSettings(
    string CookieDomain, int CookieDays, bool RequireConsent, bool RespectDnt, IReadOnlyList<string> OwnDomains,
    IReadOnlyList<string> DownloadExtensions, PhoneNumber? DefaultNumber, bool SwapNumbers);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScriptSettings))]
[JsonSerializable(typeof(PhoneNumber))]
internal sealed partial class ScriptJson : JsonSerializerContext;
