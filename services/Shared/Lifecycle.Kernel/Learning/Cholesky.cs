namespace Lifecycle.Kernel.Learning;

/// <summary>Solves linear equations with a symmetric positive definite matrix.</summary>
internal static class Cholesky
{
    // What a direction without any information is given, so that the equations stay solvable.
    private const double Least = 1e-9;

    /// <summary>x with matrix · x = right. The matrix is given by its lower triangle, row by row, and is overwritten.</summary>
    public static double[] Solve(double[][] matrix, double[] right)
    {
        var size = right.Length;
        for (var row = 0; row < size; row++)
        {
            for (var column = 0; column <= row; column++)
            {
                var sum = matrix[row][column];
                for (var index = 0; index < column; index++)
                {
                    sum -= matrix[row][index] * matrix[column][index];
                }

                matrix[row][column] = row == column ? Math.Sqrt(Math.Max(sum, Least)) : sum / matrix[column][column];
            }
        }

        var solution = new double[size];
        for (var row = 0; row < size; row++)
        {
            var sum = right[row];
            for (var index = 0; index < row; index++)
            {
                sum -= matrix[row][index] * solution[index];
            }

            solution[row] = sum / matrix[row][row];
        }

        for (var row = size - 1; row >= 0; row--)
        {
            var sum = solution[row];
            for (var index = row + 1; index < size; index++)
            {
                sum -= matrix[index][row] * solution[index];
            }

            solution[row] = sum / matrix[row][row];
        }

        return solution;
    }
}
