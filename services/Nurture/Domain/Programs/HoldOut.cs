using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Lifecycle.Nurture.Domain.Programs;

/// <summary>
/// Draws a program's control group: leads that do not enter, so that what the program does can be measured against doing nothing.
/// </summary>
public static class HoldOut
{
    /// <summary>Largest share that a program may hold out, percent.</summary>
    public const int MaxPercent = 90;

    /// <summary>
    /// Whether the program holds the lead out. The same lead always falls the same way in one program, and apart from that in another; a
    /// larger share holds out whom a smaller one did, and more.
    /// </summary>
    /// <remarks>The first eight bytes of SHA-256 over both ids, as a fraction of 2⁶⁴, against the share.</remarks>
    /// <param name="program">The program, whose id is the seed.</param>
    /// <param name="lead">The lead.</param>
    /// <param name="percent">Share to hold out, 0 to <see cref="MaxPercent"/>.</param>
    public static bool Holds(Guid program, Guid lead, int percent)
    {
        if (percent <= 0)
        {
            return false;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"hold-out:{program:N}:{lead:N}"), hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash) / (ulong.MaxValue / 100.0) < percent;
    }
}
