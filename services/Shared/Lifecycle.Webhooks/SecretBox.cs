using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Lifecycle.Webhooks;

/// <summary>Keys of section <c>Lifecycle</c> under which secrets of others are kept.</summary>
public sealed class SecretBoxOptions : IValidatableObject
{
    public const string Section = "Lifecycle";

    /// <summary>Base64 of 32 bytes; empty: derived from <see cref="IdentitySecret"/>.</summary>
    public string SecretKey { get; set; } = "";

    /// <summary>The secret that the gateway and the services share.</summary>
    public string IdentitySecret { get; set; } = "";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        var buffer = new byte[SecretKey.Length];
        if (SecretKey.Length > 0 && !(Convert.TryFromBase64String(SecretKey, buffer, out var length) && length == 32))
        {
            yield return new("Lifecycle:SecretKey must be base64 of 32 bytes.", [nameof(SecretKey)]);
        }
    }
}

/// <summary>
/// Keeps what must be told in clear again, such as an API key of a CRM: AES-256-GCM, a new nonce for each text, bound to what it belongs
/// to, so that a row copied elsewhere does not open.
/// </summary>
public sealed class SecretBox(IOptions<SecretBoxOptions> options)
{
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const string Prefix = "v1:";

    private readonly Lazy<byte[]> key = new(() => options.Value.SecretKey.Length > 0
        ? Convert.FromBase64String(options.Value.SecretKey)
        : HKDF.DeriveKey(
            HashAlgorithmName.SHA256, Convert.FromBase64String(options.Value.IdentitySecret), 32,
                info: Encoding.UTF8.GetBytes("lifecycle secret box")));

    /// <param name="text">The secret.</param>
    /// <param name="owner">What it belongs to, e.g. workspace and connection.</param>
    public string Close(string text, string owner)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var sealedText = new byte[NonceLength + TagLength + plain.Length];
        RandomNumberGenerator.Fill(sealedText.AsSpan(0, NonceLength));
        using var aes = new AesGcm(key.Value, TagLength);
        aes.Encrypt(
            sealedText.AsSpan(0, NonceLength), plain, sealedText.AsSpan(NonceLength + TagLength), sealedText.AsSpan(NonceLength, TagLength),
            Encoding.UTF8.GetBytes(owner));
        return Prefix + Convert.ToBase64String(sealedText);
    }

    /// <exception cref="CryptographicException">It was closed with another key or for another owner.</exception>
    public string Open(string closed, string owner)
    {
        var sealedText = Convert.FromBase64String(closed[Prefix.Length..]);
        var plain = new byte[sealedText.Length - NonceLength - TagLength];
        using var aes = new AesGcm(key.Value, TagLength);
        aes.Decrypt(
            sealedText.AsSpan(0, NonceLength), sealedText.AsSpan(NonceLength + TagLength), sealedText.AsSpan(NonceLength, TagLength), plain,
            Encoding.UTF8.GetBytes(owner));
        return Encoding.UTF8.GetString(plain);
    }
}
