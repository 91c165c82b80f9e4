using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lifecycle.Kernel;

namespace Lifecycle.Webhooks;

/// <summary>
/// A key of Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks): <c>whsec_</c> and base64 of 24 to 64 bytes. What is
/// signed is <c>ID.TIMESTAMP.BODY</c>, by HMAC-SHA256.
/// </summary>
public sealed class WebhookSecret
{
    private const string Prefix = "whsec_";
    private const string Version = "v1,";

    private readonly byte[] key;

    private WebhookSecret(byte[] key) => this.key = key;

    /// <summary>As senders and receivers spell it.</summary>
    public string Text => Prefix + Convert.ToBase64String(key);

    /// <summary>A new one of 32 random bytes.</summary>
    public static WebhookSecret New() => new(RandomNumberGenerator.GetBytes(32));

    /// <summary>Reads the text, with or without its prefix.</summary>
    public static Result<WebhookSecret> Parse(string text)
    {
        var base64 = text.StartsWith(Prefix, StringComparison.Ordinal) ? text[Prefix.Length..] : text;
        var buffer = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, buffer, out var length) && length is >= 24 and <= 64
            ? new WebhookSecret(buffer[..length])
            : Error.Invalid("secret", "A signing secret is whsec_ and base64 of 24 to 64 bytes.");
    }

    /// <summary>One signature, <c>v1,</c> and base64.</summary>
    public string Sign(string id, DateTimeOffset time, ReadOnlySpan<byte> body) =>
        Version + Convert.ToBase64String(Hash(id, Seconds(time), body));

    /// <summary>
    /// Whether one of the signatures, separated by blanks, is this key's. Compared in constant time; versions that are not known are
    /// passed over.
    /// </summary>
    internal bool Matches(string signatures, string id, string timestamp, ReadOnlySpan<byte> body)
    {
        var expected = Hash(id, timestamp, body);
        var found = false;
        foreach (var signature in signatures.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var given = new byte[signature.Length];
            found |= signature.StartsWith(Version, StringComparison.Ordinal)
                && Convert.TryFromBase64String(signature[Version.Length..], given, out var length)
                && CryptographicOperations.FixedTimeEquals(given.AsSpan(0, length), expected);
        }

        return found;
    }

    internal static string Seconds(DateTimeOffset time) => time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    private byte[] Hash(string id, string timestamp, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hmac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        hmac.AppendData(body);
        return hmac.GetHashAndReset();
    }
}

/// <summary>The headers of a signed webhook, and their check.</summary>
public static class WebhookSignature
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    /// <summary>How far a sender's clock may be off; what is older may be an old message played again.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>Longest id that is taken.</summary>
    public const int MaxIdLength = 200;

    /// <summary>Errors: UNAUTHENTICATED for a missing or bad header, a timestamp that is off by more than the tolerance, a signature of
    /// none of the
    /// secrets.</summary>
    public static Result<Unit> Verify(
        IEnumerable<WebhookSecret> secrets, string? id, string? timestamp, string? signatures, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(id) || id.Length > MaxIdLength || string.IsNullOrEmpty(signatures)
            || !long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > 253_402_300_799)
        {
            return Refused($"The headers {IdHeader}, {TimestampHeader} (seconds) and {SignatureHeader} are needed.");
        }

        if ((DateTimeOffset.FromUnixTimeSeconds(seconds) - now).Duration() > Tolerance)
        {
            return Refused($"{TimestampHeader} is off by more than {Tolerance.TotalMinutes:0} minutes.");
        }

        foreach (var secret in secrets)
        {
            if (secret.Matches(signatures, id, timestamp, body))
            {
                return default(Unit);
            }
        }

        return Refused($"{SignatureHeader} does not fit the body.");
    }

    private static Error Refused(string message) => new(ErrorKind.Unauthenticated, message);
}
