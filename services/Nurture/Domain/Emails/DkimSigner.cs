using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>
/// Signs mails of one domain: DomainKeys Identified Mail (RFC 6376), rsa-sha256, relaxed canonicalization of header and body.
/// </summary>
/// <param name="Domain">Signing domain (<c>d=</c>); the sender's domain or one above it.</param>
/// <param name="Selector">Names the key under the domain (<c>s=</c>).</param>
/// <param name="PrivateKey">RSA private key, PKCS#8 DER.</param>
public sealed partial record DkimSigner(string Domain, string Selector, byte[] PrivateKey)
{
    /// <summary>Length of keys made here; RFC 8301 asks for at least 1024 and recommends 2048.</summary>
    public const int KeyBits = 2048;

    private const int LineLength = 72;

    /// <summary>
    /// Fields that are signed where they are there. From and Subject are named once more than they occur, so that none can be added (RFC
    /// 6376, 5.4.2); the unsubscribing ones must be signed for one-click unsubscribing to count (RFC 8058, 4).
    /// </summary>
    private static readonly string[] Signed =
    [
        "From", "From", "To", "Subject", "Subject", "Date", "Message-ID", "Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post",
        "MIME-Version", "Content-Type",
    ];

    /// <summary>A new private key, PKCS#8 DER.</summary>
    public static byte[] NewKey()
    {
        using var rsa = RSA.Create(KeyBits);
        return rsa.ExportPkcs8PrivateKey();
    }

    /// <summary>The TXT record that publishes the key's public half (RFC 6376, 3.6.1).</summary>
    public static string DnsRecord(byte[] privateKey)
    {
        using var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(privateKey, out _);
        return $"v=DKIM1; k=rsa; p={Convert.ToBase64String(rsa.ExportSubjectPublicKeyInfo())}";
    }

    /// <summary>The mail with its signature as first header.</summary>
    /// <param name="mail">RFC 5322 text with CRLF lines.</param>
    /// <param name="time">When it is signed.</param>
    public string Sign(string mail, DateTimeOffset time)
    {
        var end = mail.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var fields = Fields(mail[..end]);
        var body = SHA256.HashData(Encoding.UTF8.GetBytes(RelaxBody(mail[(end + 4)..])));
        var names = Signed.Where((name, index) => index > 0 && Signed[index - 1] == name
            || fields.Exists(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase))).ToArray();
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={Domain}; s={Selector};\r\n\tt={time.ToUnixTimeSeconds()};")
            + $" bh={Convert.ToBase64String(body)};\r\n\th={Fold(string.Join(':', names), ':')};\r\n\tb=";
        var signed = new StringBuilder();
        foreach (var field in Chosen(fields, names))
        {
            signed.Append(RelaxField(field)).Append("\r\n");
        }

        signed.Append(RelaxField(head));
        using var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(PrivateKey, out _);
        var signature = rsa.SignData(Encoding.UTF8.GetBytes(signed.ToString()), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{head}{Fold(Convert.ToBase64String(signature), null)}\r\n{mail}";
    }

    /// <summary>Header canonicalization "relaxed" (RFC 6376, 3.4.2) of one field, without its line end.</summary>
    public static string RelaxField(string field)
    {
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var value = Space().Replace(field[(colon + 1)..].Replace("\r\n", "", StringComparison.Ordinal), " ").Trim();
        return $"{field[..colon].Trim().ToLowerInvariant()}:{value}";
    }

    /// <summary>Body canonicalization "relaxed" (RFC 6376, 3.4.4).</summary>
    public static string RelaxBody(string body)
    {
        var lines = body.Split("\r\n").Select(line => Space().Replace(line, " ").TrimEnd(' ')).ToList();
        while (lines is [.., ""])
        {
            lines.RemoveAt(lines.Count - 1);
        }

        return lines.Count == 0 ? "" : string.Join("\r\n", lines) + "\r\n";
    }

    private static List<(string Name, string Text)> Fields(string header) =>
        [.. FieldStart().Split(header).Select(field => (field[..field.IndexOf(':', StringComparison.Ordinal)], field))];

    /// <summary>For each name the last field of it that was not taken yet; a name beyond its fields stands for nothing (5.4.2).</summary>
    private static IEnumerable<string> Chosen(List<(string Name, string Text)> fields, IEnumerable<string> names)
    {
        var left = fields.ToList();
        foreach (var name in names)
        {
            var index = left.FindLastIndex(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
            if (index >= 0)
            {
                yield return left[index].Text;
                left.RemoveAt(index);
            }
        }
    }

    private static string Fold(string text, char? at)
    {
        var (result, line) = (new StringBuilder(), 0);
        foreach (var letter in text)
        {
            result.Append(letter);
            if (++line >= LineLength - 12 && (at is null || letter == at))
            {
                result.Append("\r\n\t ");
                line = 0;
            }
        }

        return result.ToString();
    }

    [GeneratedRegex("[ \t]+", RegexOptions.CultureInvariant, 2000)]
    private static partial Regex Space();

    /// <summary>A line end that no folded line follows.</summary>
    [GeneratedRegex("\r\n(?![ \t])", RegexOptions.CultureInvariant, 2000)]
    private static partial Regex FieldStart();
}
