using System.Buffers.Binary;
using Lifecycle.Scoring.Domain;

namespace Lifecycle.Scoring.Live;

/// <summary>
/// A score, but for lead and version, in as few bytes as it takes, without loss: about 35 with one half-life, so that Redis packs many into
/// one small block. Numbers are variable-length; constants count ten-thousandths of a point, which is what the ledger keeps; times count
/// microseconds.
/// </summary>
public static class LiveScoreBytes
{
    private const byte Format = 1;
    private const decimal Scale = 10_000;
    private static readonly Category[] Categories = [Category.Fit, Category.Behavior, Category.Bant];

    public static byte[] Write(LiveScore score)
    {
        var bytes = new List<byte>(64) { Format, (byte)((score.Qualified ? 1 : 0) | (score.Until is null ? 0 : 2)) };
        Number(bytes, (uint)score.ModelVersion);
        Number(bytes, Time(score.State.At));
        if (score.Until is { } until)
        {
            Number(bytes, Time(until));
        }

        Span<byte> points = stackalloc byte[sizeof(double)];
        foreach (var category in Categories)
        {
            var part = score.State[category];
            Number(bytes, Signed((long)(part.Constant * Scale)));
            Number(bytes, (ulong)part.Buckets.Count);
            foreach (var bucket in part.Buckets)
            {
                Number(bytes, HalfLife(bucket.HalfLifeSeconds));
                BinaryPrimitives.WriteDoubleLittleEndian(points, bucket.Points);
                bytes.AddRange(points);
            }
        }

        return [.. bytes];
    }

    /// <summary>The score, or null for bytes that are none: of another release, or nonsense.</summary>
    public static LiveScore? Read(Guid leadId, long version, ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (bytes.Length < 2 || bytes[0] != Format)
            {
                return null;
            }

            var flags = bytes[1];
            var at = 2;
            var (model, time) = ((int)Number(bytes, ref at), Time(Number(bytes, ref at)));
            DateTimeOffset? until = (flags & 2) == 0 ? null : Time(Number(bytes, ref at));
            var parts = new CategoryState[Categories.Length];
            for (var index = 0; index < parts.Length; index++)
            {
                var constant = Signed(Number(bytes, ref at)) / Scale;
                var buckets = new Bucket[checked((int)Math.Min(Number(bytes, ref at), (ulong)bytes.Length))];
                for (var number = 0; number < buckets.Length; number++)
                {
                    var halfLife = HalfLifeOf(Number(bytes, ref at));
                    buckets[number] = new(halfLife, BinaryPrimitives.ReadDoubleLittleEndian(bytes[at..]));
                    at += sizeof(double);
                }

                parts[index] = new(constant, buckets);
            }

            return at == bytes.Length
                ? new(leadId, version, model, (flags & 1) != 0, new(time, parts[0], parts[1], parts[2]), until)
                : null;
        }
        catch (Exception fault) when (fault is ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            return null;
        }
    }

    private static ulong Time(DateTimeOffset time) =>
        Signed((time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond);

    private static DateTimeOffset Time(ulong number) =>
        DateTimeOffset.UnixEpoch.AddTicks(checked(Signed(number) * TimeSpan.TicksPerMicrosecond));

    /// <summary>Whole seconds, mostly; else ticks, told apart by the lowest bit.</summary>
    private static ulong HalfLife(double seconds) =>
        seconds == Math.Floor(seconds) ? (ulong)seconds << 1 : ((ulong)TimeSpan.FromSeconds(seconds).Ticks << 1) | 1;

    private static double HalfLifeOf(ulong number) => (number & 1) == 0 ? number >> 1 : new TimeSpan((long)(number >> 1)).TotalSeconds;

    private static ulong Signed(long value) => (ulong)((value << 1) ^ (value >> 63));

    private static long Signed(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    private static void Number(List<byte> bytes, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        bytes.Add((byte)value);
    }

    private static ulong Number(ReadOnlySpan<byte> bytes, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }

            if (shift > 56)
            {
                throw new OverflowException("A number of more than 64 bits.");
            }
        }
    }
}
