using System.Buffers;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Lifecycle.Gateway.Keys;

/// <summary>The text of API keys: <c>lk_</c> (secret) or <c>lp_</c> (publishable) and 32 random bytes in base 62.</summary>
public static class KeyText
{
    public const string SecretPrefix = "lk_";
    public const string PublishablePrefix = "lp_";

    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>⌈256 / log2 62⌉.</summary>
    private const int BodyLength = 43;

    private const int ShownLength = 10;

    private static readonly SearchValues<char> DigitSet = SearchValues.Create(Digits);

    /// <param name="prefix"><see cref="SecretPrefix"/> or <see cref="PublishablePrefix"/>.</param>
    /// <param name="random">32 bytes.</param>
    public static string Format(string prefix, ReadOnlySpan<byte> random)
    {
        var number = new BigInteger(random, isUnsigned: true, isBigEndian: true);
        var text = new char[BodyLength];
        for (var index = BodyLength - 1; index >= 0; index--)
        {
            number = BigInteger.DivRem(number, Digits.Length, out var digit);
            text[index] = Digits[(int)digit];
        }

        return prefix + new string(text);
    }

    /// <summary>A new key.</summary>
    public static string Create(string prefix) => Format(prefix, RandomNumberGenerator.GetBytes(32));

    /// <summary>Whether the text can be a key at all, so that the database need not be asked about others.</summary>
    public static bool IsWellFormed(string text) =>
        text.Length == SecretPrefix.Length + BodyLength
        && (text.StartsWith(SecretPrefix, StringComparison.Ordinal) || text.StartsWith(PublishablePrefix, StringComparison.Ordinal))
        && text.AsSpan(SecretPrefix.Length).IndexOfAnyExcept(DigitSet) < 0;

    /// <summary>What is kept of a key.</summary>
    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>What is shown of a key.</summary>
    public static string Shown(string key) => key[..ShownLength];
}
