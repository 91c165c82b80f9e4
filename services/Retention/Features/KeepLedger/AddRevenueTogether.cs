using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.KeepLedger;

/// <summary>An entry asked for, and by whom.</summary>
internal sealed record AskedEntry(AddRevenueCommand Command, Caller Caller);

/// <summary>
/// Appends entries that were asked for at the same time: their customers are locked once, in order of their ids, and all is written
/// together. Each is answered as it would be alone.
/// </summary>
internal static class AddRevenueTogether
{
    public static async Task<IReadOnlyList<Result<Revenue>?>> Run(Transaction<RetentionDbContext> tx, IReadOnlyList<AskedEntry> asked)
    {
        var answers = new Result<Revenue>?[asked.Count];
        // All callers of a workspace have its currency and zone; one that was told others since runs alone.
        var caller = asked[0].Caller;
        var rates = new CurrencyRates(tx, caller.CurrencyCode, caller.TimeZone);
        await rates.Load(asked.Select(one => (one.Command.Amount.CurrencyCode, one.Command.Time)));
        var customers = await LedgerBatch.Lock(tx, [.. asked.Select(one => one.Command.CustomerId).Distinct()], []);
        // Read after the locks: whoever writes the same entries has ended by now.
        var externalIds = asked.Select(one => one.Command.ExternalId).OfType<string>().ToArray();
        var known = externalIds.Length == 0 ? [] : await LedgerBatch.Known(tx, externalIds);
        var (positions, entries) = (new List<int>(), new List<NewEntry>());
        foreach (var (index, (command, by)) in asked.Index())
        {
            if (by.CurrencyCode != caller.CurrencyCode || by.TimeZone.Id != caller.TimeZone.Id
                || (command.ExternalId is { } id && !known.Add(id)))
            {
                // One that is there already, or was asked for twice at once, is answered by the entry itself.
                continue;
            }

            if (customers.Find(command.CustomerId, null) is not { } customer)
            {
                answers[index] = Error.NotFound("Customer", command.CustomerId);
            }
            else if (command.Refusal(customer) is { } refusal)
            {
                answers[index] = refusal;
            }
            else if (!rates.Convert(command.Amount, command.Time).TryGet(out var converted, out var unknown))
            {
                answers[index] = unknown;
            }
            else
            {
                positions.Add(index);
                entries.Add(command.Entry(customer, converted));
            }
        }

        foreach (var (position, added) in (await LedgerBatch.Append(tx, entries)).Index())
        {
            answers[positions[position]] = LedgerQueries.ToProto(added, tx.Now, caller.CurrencyCode);
        }

        return answers;
    }
}
