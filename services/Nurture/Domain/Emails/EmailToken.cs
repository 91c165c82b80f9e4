using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>What a link of a mail does.</summary>
public enum LinkKind
{
    Open = 1,
    Click = 2,
    Unsubscribe = 3,
}

/// <summary>What a link of a mail stands for.</summary>
/// <param name="Kind">What it does; a token of one kind opens no other.</param>
/// <param name="WorkspaceId">Workspace of the mail.</param>
/// <param name="MessageId">The mail.</param>
/// <param name="LinkIndex">Place of the link in the mail; <see cref="Honeypot"/> for the one that no person sees.</param>
public readonly record struct EmailToken(LinkKind Kind, Guid WorkspaceId, Guid MessageId, ushort LinkIndex)
{
    /// <summary>Index of the hidden link.</summary>
    public const ushort Honeypot = ushort.MaxValue;

    private const int PayloadLength = 36;
    private const int TagLength = 16;
    private const byte Version = 1;

    /// <summary>Opaque text for a URL: version, kind, link, workspace and mail with 128 bits of HMAC-SHA-256, base64url.</summary>
    public string Sign(ReadOnlySpan<byte> key)
    {
        Span<byte> bytes = stackalloc byte[PayloadLength + TagLength];
        bytes[0] = Version;
        bytes[1] = (byte)Kind;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], LinkIndex);
        WorkspaceId.TryWriteBytes(bytes[4..], bigEndian: true, out _);
        MessageId.TryWriteBytes(bytes[20..], bigEndian: true, out _);
        Tag(key, bytes[..PayloadLength], bytes[PayloadLength..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>The token, or null when it was not signed with this key or is of another kind.</summary>
    public static EmailToken? Verify(string text, LinkKind kind, ReadOnlySpan<byte> key)
    {
        Span<byte> bytes = stackalloc byte[PayloadLength + TagLength];
        if (text.Length != Base64Url.GetEncodedLength(bytes.Length)
            || !Base64Url.TryDecodeFromChars(text, bytes, out var length)
            || length != bytes.Length)
        {
            return null;
        }

        Span<byte> tag = stackalloc byte[TagLength];
        Tag(key, bytes[..PayloadLength], tag);
        if (!CryptographicOperations.FixedTimeEquals(tag, bytes[PayloadLength..]) || bytes[0] != Version || bytes[1] != (byte)kind)
        {
            return null;
        }

        return new(
            kind,
            new Guid(bytes[4..20], bigEndian: true),
            new Guid(bytes[20..36], bigEndian: true),
            BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
    }

    private static void Tag(ReadOnlySpan<byte> key, ReadOnlySpan<byte> payload, Span<byte> tag)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, payload, hash);
        hash[..TagLength].CopyTo(tag);
    }
}
