using System.Text;

namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>A template made more text than a mail may have.</summary>
public sealed class MailTooLongException(int limit) : Exception($"The mail has more than {limit} characters.");

/// <summary>Takes what a template writes, up to a limit: a loop over many values ends here and not in the memory of the process.</summary>
public sealed class BoundedText(int limit) : TextWriter
{
    private readonly StringBuilder text = new();

    public override Encoding Encoding => Encoding.Unicode;

    /// <exception cref="MailTooLongException">The limit is reached.</exception>
    public override void Write(char value)
    {
        Grow(1);
        text.Append(value);
    }

    /// <exception cref="MailTooLongException">The limit is reached.</exception>
    public override void Write(string? value)
    {
        Grow(value?.Length ?? 0);
        text.Append(value);
    }

    /// <exception cref="MailTooLongException">The limit is reached.</exception>
    public override void Write(char[] buffer, int index, int count)
    {
        Grow(count);
        text.Append(buffer, index, count);
    }

    public override string ToString() => text.ToString();

    private void Grow(int count)
    {
        if (text.Length + count > limit)
        {
            throw new MailTooLongException(limit);
        }
    }
}
