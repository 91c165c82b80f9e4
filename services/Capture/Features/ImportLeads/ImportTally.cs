using Lifecycle.Common.V1;
using Lifecycle.Kernel;

namespace Lifecycle.Capture.Features.ImportLeads;

/// <summary>Counts the outcome of an import.</summary>
internal sealed class ImportTally
{
    /// <summary>Rejections told one by one; the rest is only counted.</summary>
    private const int MaxRejections = 1000;

    private readonly List<(int Line, Error Error)> rejected = [];
    private int rejectedCount;

    public int Created { get; set; }

    public int Updated { get; set; }

    public int Unchanged { get; set; }

    public void Reject(int line, Error error)
    {
        rejectedCount++;
        if (rejected.Count < MaxRejections)
        {
            rejected.Add((line, error));
        }
    }

    public void Add(ImportTally other)
    {
        (Created, Updated, Unchanged) = (Created + other.Created, Updated + other.Updated, Unchanged + other.Unchanged);
        rejectedCount += other.rejectedCount;
        rejected.AddRange(other.rejected.Take(MaxRejections - rejected.Count));
    }

    /// <summary>Goes on from the answer of an earlier attempt.</summary>
    public static ImportTally From(ImportResponse? answer)
    {
        var tally = new ImportTally();
        if (answer is not null)
        {
            (tally.Created, tally.Updated, tally.Unchanged, tally.rejectedCount) = (
                answer.Created, answer.Updated, answer.Unchanged, answer.RejectedCount);
            tally.rejected.AddRange(answer.Rejected.Select(
                row => (row.Line, Error.Invalid(row.Errors.Select(text => new FieldViolation("row", text)).ToArray()))));
        }

        return tally;
    }

    /// <summary>This and the other, as one answer.</summary>
    public ImportResponse With(ImportTally other)
    {
        var sum = From(null);
        sum.Add(this);
        sum.Add(other);
        return sum.ToResponse();
    }

    public ImportResponse ToResponse()
    {
        var response = new ImportResponse { Created = Created, Updated = Updated, Unchanged = Unchanged, RejectedCount = rejectedCount };
        foreach (var (line, error) in rejected.OrderBy(item => item.Line).Take(MaxRejections))
        {
            response.Rejected.Add(
                new ImportRejection { Line = line, Errors = { error.Violations.Select(violation => violation.Message) } });
        }

        return response;
    }
}
