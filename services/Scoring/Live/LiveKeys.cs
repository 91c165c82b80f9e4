using System.Globalization;
using System.Text;
using StackExchange.Redis;

namespace Lifecycle.Scoring.Live;

/// <summary>
/// Names in Redis. All of a workspace carry its id as hash tag. Leads of a score share 16,384 blocks, so that a million take some 60 a
/// block, which Redis keeps as one small list without a key of its own for each lead.
/// </summary>
internal sealed class LiveKeys(Guid workspaceId, string scoreName)
{
    /// <summary>How many blocks a score has.</summary>
    public const int Blocks = 16_384;

    /// <summary>Raised when the form of what is kept changes: another release's entries are not looked at.</summary>
    private const string Release = "3";
    private readonly string tag = $"{{{workspaceId:N}}}:{Release}:";

    /// <summary>
    /// All leads of the workspace are in, as of a snapshot of Postgres, which it names: see <see cref="Storage.ChangeMark"/>.
    /// </summary>
    public RedisKey Complete => $"{tag}complete";

    /// <summary>Some score has points that begin or end by themselves.</summary>
    public RedisKey Timed => $"{tag}timed";

    public RedisKey Ranges => $"{tag}{scoreName}:ranges";

    public string RangePrefix => $"{tag}{scoreName}:top:";

    /// <summary>The block's number, in lower-case hexadecimal digits, follows.</summary>
    public string BlockPrefix => $"{tag}{scoreName}:";

    /// <summary>One per restoration: several may run at once, and each completes the workspace.</summary>
    public RedisKey Restore(string token) => $"{tag}restore:{token}";

    /// <summary>Hash that holds the lead.</summary>
    public RedisKey Block(Guid leadId)
    {
        Span<byte> bytes = stackalloc byte[16];
        leadId.TryWriteBytes(bytes, bigEndian: true, out _);
        return $"{BlockPrefix}{((bytes[14] << 8) | bytes[15]) % Blocks:x}";
    }

    public static RedisValue Id(Guid leadId) => leadId.ToByteArray(bigEndian: true);

    /// <summary>Null for what is no lead's id.</summary>
    public static Guid? Lead(RedisValue id) => (byte[]?)id is { Length: 16 } bytes ? new Guid(bytes, bigEndian: true) : null;

    /// <summary>The score in a field <c>version:range:data</c>; null: none, or the lead is gone.</summary>
    public static LiveScore? Parse(Guid leadId, RedisValue field)
    {
        const byte Colon = (byte)':';
        var bytes = ((byte[]?)field).AsSpan();
        var first = bytes.IndexOf(Colon);
        var second = first < 0 ? -1 : bytes[(first + 1)..].IndexOf(Colon);
        return second >= 0
            && long.TryParse(Encoding.ASCII.GetString(bytes[..first]), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? LiveScoreBytes.Read(leadId, version, bytes[(first + second + 2)..])
            : null;
    }
}
