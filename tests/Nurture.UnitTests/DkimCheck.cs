using System.Security.Cryptography;
using System.Text;

namespace Nurture.UnitTests;

/// <summary>Verifies a signature as a receiver does (RFC 6376, 6.1), sharing no code with the signer.</summary>
internal static class DkimCheck
{
    /// <returns>Null where it verifies; else what is wrong.</returns>
    public static string? Fault(string mail, string dnsRecord)
    {
        var split = mail.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var (header, body) = (mail[..split], mail[(split + 4)..]);
        var fields = new List<string>();
        foreach (var line in header.Split("\r\n"))
        {
            if (line[0] is ' ' or '\t')
            {
                fields[^1] += line;
            }
            else
            {
                fields.Add(line);
            }
        }

        var signature = fields.Single(field => field.StartsWith("DKIM-Signature:", StringComparison.OrdinalIgnoreCase));
        var tags = signature["DKIM-Signature:".Length..].Split(';').Select(tag => tag.Split('=', 2))
            .ToDictionary(tag => tag[0].Trim(), tag => string.Concat(tag[1].Where(letter => !char.IsWhiteSpace(letter))));
        if (tags["v"] != "1" || tags["a"] != "rsa-sha256" || tags["c"] != "relaxed/relaxed")
        {
            return "tags";
        }

        var lines = body.Split("\r\n").Select(line => Squeeze(line).TrimEnd(' ')).ToArray();
        var last = Array.FindLastIndex(lines, line => line.Length > 0);
        var relaxed = string.Concat(lines.Take(last + 1).Select(line => line + "\r\n"));
        if (Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(relaxed))) != tags["bh"])
        {
            return "body";
        }

        var signed = new StringBuilder();
        var left = fields.Where(field => field != signature).Reverse().ToList();
        foreach (var name in tags["h"].Split(':'))
        {
            if (left.Find(field => field.Split(':')[0].Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) is { } field)
            {
                left.Remove(field);
                signed.Append(Canonical(field)).Append("\r\n");
            }
        }

        var bare = signature[..(signature.LastIndexOf("b=", signature.Length - tags["b"].Length, StringComparison.Ordinal) + 2)];
        signed.Append(Canonical(bare));
        using var key = RSA.Create();
        key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(dnsRecord.Split("p=")[1]), out _);
        return key.VerifyData(
            Encoding.UTF8.GetBytes(signed.ToString()), Convert.FromBase64String(tags["b"]), HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1)
            ? null : "signature";
    }

    private static string Canonical(string field)
    {
        var parts = field.Split(':', 2);
        return parts[0].Trim().ToLowerInvariant() + ":" + Squeeze(parts[1]).Trim(' ');
    }

    private static string Squeeze(string text)
    {
        var result = new StringBuilder();
        foreach (var letter in text)
        {
            var next = letter == '\t' ? ' ' : letter;
            if (next != ' ' || result.Length == 0 || result[^1] != ' ')
            {
                result.Append(next);
            }
        }

        return result.ToString();
    }
}
