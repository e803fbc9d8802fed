"""Decrypts an export to S3 with Spark: each executor pipes its partitions
through the command, which holds the configuration of the item encryptor.

Usage: decrypt.py COMMAND CONFIG EXPORT OUT

EXPORT is a folder with the data files of an export, such as
s3a://bucket/AWSDynamoDB/01693685827463-2d8752fd/data; a file is a partition.
OUT gets the lines in plaintext: protect it as such.
"""

import shlex
import sys

from pyspark.sql import SparkSession


def main(command, config, export, out):
    spark = SparkSession.builder.appName("ddbseal").getOrCreate()
    pipe = shlex.join([command, "item", "decrypt", "--config", config, "--export", "-"])
    lines = spark.sparkContext.textFile(export + "/*.json.gz")
    # checkCode fails the job if the command reports a line that does not open.
    lines.pipe(pipe, checkCode=True).saveAsTextFile(out)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
