using Lifecycle.Common.V1;

namespace Lifecycle.Retention.Features.ImportCustomers;

/// <summary>What became of one row.</summary>
internal enum RowOutcome
{
    Created,
    Updated,
    Unchanged,
}

/// <summary>Counts of an import, with the first thousand rejections told one by one.</summary>
/// <param name="before">Answer of an earlier attempt, to go on from.</param>
internal sealed class ImportTally(ImportResponse? before = null)
{
    private const int MaxRejections = 1000;

    private ImportResponse response = before?.Clone() ?? new();

    public ImportTally Copy() => new(response);

    /// <summary>Becomes the other.</summary>
    public void Take(ImportTally other) => response = other.response;

    public void Count(RowOutcome outcome)
    {
        switch (outcome)
        {
            case RowOutcome.Created:
                response.Created++;
                break;
            case RowOutcome.Updated:
                response.Updated++;
                break;
            default:
                response.Unchanged++;
                break;
        }
    }

    public void Reject(int line, IEnumerable<string> errors)
    {
        response.RejectedCount++;
        if (response.Rejected.Count < MaxRejections)
        {
            response.Rejected.Add(new ImportRejection { Line = line, Errors = { errors } });
        }
    }

    /// <summary>Adds rejections of another tally.</summary>
    public void Add(ImportTally faults)
    {
        response.RejectedCount += faults.response.RejectedCount;
        response.Rejected.AddRange(faults.response.Rejected.Take(MaxRejections - response.Rejected.Count));
    }

    public ImportResponse ToResponse() => response;
}
